// The drawing while somebody calculates: what is given, and what they wrote; everything else is a question mark.

import type { Drawing, Drawn, View } from "../data";

/** The drawing without the numbers that are asked for. */
export function masked(view: View, answers: Record<string, string>): Drawing {
  if (!view.whole) return view.network; // nothing is asked for: there are too many numbers
  const given = new Set(view.steps.filter((step) => step.phase === "given" && !step.uses.length).map((step) => step.id));
  const hide = (number: Drawn): Drawn => {
    if (given.has(number.id)) return number;
    const written = answers[number.id]?.trim() || "?";
    return { ...number, shown: written, brief: written.slice(0, 8) };
  };
  const all = <Kind extends string>(numbers: Partial<Record<Kind, Drawn>>) =>
    Object.fromEntries(Object.entries<Drawn | undefined>(numbers).map(([kind, number]) => [kind, number && hide(number)])) as Partial<
      Record<Kind, Drawn>
    >;
  const { network } = view;
  return {
    ...network,
    columns: network.columns.map((column) => ({
      ...column,
      ...(column.units && {
        units: column.units.map((unit) => {
          const numbers = all(unit.numbers);
          return { ...unit, numbers, shown: numbers.out?.shown ?? unit.shown };
        }),
      }),
    })),
    edges: network.edges && network.edges.map((edge) => ({ ...edge, numbers: all(edge.numbers) })),
    loss: network.loss && { ...network.loss, number: hide(network.loss.number) },
  };
}
