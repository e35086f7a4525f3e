// The units: a card each, with its name and the numbers that the phase is about; and behind the outputs targets and loss.

import type { Drawn, Phase, Unit, UnitNumber } from "../data";
import { t } from "../phrases";
import { wide, type Box, type Size } from "./layout";

interface Row {
  kind: UnitNumber;
  label: string;
  number: Drawn;
}

const LABELS: Record<UnitNumber, string> = {
  bias: "b", sum: "net", out: "out", slope: "∂E/∂out", delta: "δ", gradient: "∂E/∂b", new: "b⁺", target: "target", loss: "E",
};

/** Which numbers a unit shows in a phase, the most important last. */
const SHOWN: Record<Phase, UnitNumber[]> = {
  given: ["bias", "sum", "out"],
  forward: ["bias", "sum", "out"],
  loss: ["bias", "sum", "out"],
  backward: ["out", "slope", "delta"],
  update: ["delta", "bias", "new"],
};

export function rowsOf(unit: Unit, phase: Phase): Row[] {
  const wanted: UnitNumber[] = phase === "update" && !unit.numbers.new ? ["out", "delta", "bias"] : SHOWN[phase];
  const kinds = wanted.filter((kind) => unit.numbers[kind]);
  const chosen = kinds.length ? kinds : (["out"] as UnitNumber[]);
  return chosen.map((kind) => ({ kind, label: LABELS[kind], number: unit.numbers[kind]! }));
}

/** The number that opens when a unit is opened. */
export function mainOf(unit: Unit, phase: Phase): Drawn {
  const { numbers } = unit;
  if (phase === "backward" && numbers.delta) return numbers.delta;
  if (phase === "update" && numbers.new) return numbers.new;
  return numbers.out!;
}

/** What stands at a unit, as a sentence. */
export function unitSentence(unit: Unit, phase: Phase, input: boolean): string {
  const words = rowsOf(unit, phase).map(({ number }) => `${number.name} ${number.shown}`).join(", ");
  return input
    ? t("{unit}, input: {value}", { unit: unit.unit, value: unit.shown })
    : t("{unit}, unit: {numbers}", { unit: unit.unit, numbers: words });
}

interface CardProps {
  box: Box;
  size: Size;
  few: boolean;
  title: string;
  rows: Row[];
  main: Drawn;
  numbers: Drawn[];
  current: string | undefined;
  lit: Set<string>;
  reached: (id: string) => boolean;
  before: Map<string, Drawn>;
  open: (id: string) => void;
}

/** The card itself: what is focused and opened. What is written on it stands beside it, so that its name is a sentence. */
export function Frame({ box, ...given }: { box: Box } & Record<string, unknown>) {
  const { x, y, width, height } = box;
  return <rect class="card" role="button" x={x - width / 2} y={y - height / 2} width={width} height={height} rx={8} {...given} />;
}

/** What is written on a card. */
export function Card({ box, size, few, title, rows, main, numbers, current, lit, reached, before, open }: CardProps) {
  const left = box.x - box.width / 2;
  const top = box.y - box.height / 2;
  const click = (id: string) => (event: Event) => {
    event.stopPropagation();
    open(id);
  };
  // where there is room for one number it is the one that is shown just now, if it stands here
  const lines = size === "small" ? [{ label: "", number: numbers.find(({ id }) => id === current) ?? main }] : rows;
  return (
    <g aria-hidden="true">
      <text class="title" x={left + 10} y={top + 17}>{title}</text>
      {lines.map(({ label, number }, i) => {
        const y = top + 35 + i * 17;
        const old = before.get(number.id);
        const changed = old !== undefined && old.shown !== number.shown;
        const classes = [lit.has(number.id) && "lit", !reached(number.id) && "later", changed && "changed"];
        const tight = size === "small" && wide(number.brief) > box.width - 20;
        const full = size === "full" && !few && wide(number.shown) + 0.85 * wide(changed ? old.shown : label) < box.width - 24;
        return (
          <g class={`row ${classes.filter(Boolean).join(" ")}`} onClick={click(number.id)}>
            <rect class="under" x={left + 4} y={y - 13} width={box.width - 8} height={17} rx={3} />
            {changed && size === "full" ? (
              <text class="old" x={left + 10} y={y}>{full ? old.shown : old.brief}</text>
            ) : (
              label && <text class="soft" x={left + 10} y={y}>{label}</text>
            )}
            <text class={tight ? "number tight" : "number"} x={left + box.width - (tight ? 5 : 10)} y={y}>{full ? number.shown : number.brief}</text>
          </g>
        );
      })}
    </g>
  );
}
