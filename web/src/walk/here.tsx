// What else stands at the same place of the drawing: a unit's numbers and the weights that come in, a weight's gradient and new
// value; and the numbers that are made of this one.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Drawn, Step, UnitNumber } from "../data";
import { useDesk } from "../desk";
import { set, t } from "../phrases";
import { Maths } from "../markup";
import type { Walking } from "./frames";

export function Here({ walk, step }: { walk: Walking; step: Step }) {
  const { view, step: known } = useDesk();
  const followers = useMemo(() => {
    const found = new Map<string, Step[]>();
    for (const each of view.steps) for (const id of each.uses) found.set(id, [...(found.get(id) ?? []), each]);
    return found;
  }, [view]);
  const { columns, edges } = view.network;
  const groups: [string, { id: string; label: ComponentChildren; shown: string }[]][] = [];
  const label = (id: string, name: string) => {
    const tree = known(id)?.label;
    return tree ? <Maths tree={tree} name={name} /> : name;
  };
  const plain = (numbers: Drawn[]) =>
    numbers.map((each) => ({ id: each.id, label: label(each.id, each.name), shown: each.shown }));
  const order: UnitNumber[] = ["bias", "sum", "out", "target", "loss", "slope", "delta", "gradient", "new"];

  const spot = step.spot;
  const edge = edges?.find((each) => each.key === spot);
  const unit = columns.flatMap((column) => column.units ?? []).find((each) => each.key === spot || spot === each.key.replace("u", "b"));
  if (edge) groups.push([t("This weight"), plain(Object.values(edge.numbers))]);
  if (unit) {
    groups.push([t("At {unit}", { unit: unit.unit }), plain(order.flatMap((kind) => unit.numbers[kind] ?? []))]);
    const [layer, place] = unit.key.slice(1).split(".").map(Number);
    const incoming = (edges ?? []).filter((each) => each.layer === layer && each.to === place);
    const outgoing = (edges ?? []).filter((each) => each.layer === layer! + 1 && each.from === place);
    if (incoming.length) groups.push([t("Weights that come in"), plain(incoming.map((each) => each.numbers.weight!))]);
    if (outgoing.length) groups.push([t("Weights that go out"), plain(outgoing.map((each) => each.numbers.weight!))]);
  }
  const used = followers.get(step.id) ?? [];
  if (used.length) groups.push([t("Used for"), used.slice(0, 24).map((each) => ({ id: each.id, label: <Maths tree={each.label} name={each.name} />, shown: each.shown }))]);
  if (!groups.length) return null;
  return (
    <section class="here">
      {groups.map(([title, numbers]) => (
        <div class="group">
          <h3>{title}</h3>
          <ul class="chips">
            {numbers.map((each) => (
              <li>
                <button onClick={() => walk.open(each.id)} aria-pressed={each.id === step.id}>
                  <span>{each.label}</span> {set(each.shown)}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
