// The units: a card each, with its name and the numbers that the phase is about; and behind the outputs targets and loss.

import type { Drawn, Phase, Unit, UnitNumber } from "../data";
import { set, t } from "../phrases";
import { wide, type Box, type Layout } from "./layout";

interface Row {
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
  return chosen.map((kind) => ({ label: LABELS[kind], number: unit.numbers[kind]! }));
}

/** The number that opens when a unit is opened. */
export function mainOf(unit: Unit, phase: Phase): Drawn {
  const { numbers } = unit;
  if (phase === "backward" && numbers.delta) return numbers.delta;
  if (phase === "update" && numbers.new) return numbers.new;
  return numbers.out!;
}

/** What stands at a unit, as a sentence, and what opens with it. */
export function unitSentence(unit: Unit, phase: Phase, input: boolean, before: Map<string, Drawn>): string {
  const told = rowsOf(unit, phase).map(({ number }) => [`${number.name} ${number.shown}`, was(number, before)].filter(Boolean).join(", "));
  const said = input
    ? t("{unit}, input: {value}", { unit: unit.unit, value: unit.shown })
    : t("{unit}, unit: {numbers}", { unit: unit.unit, numbers: told.join(", ") });
  return `${said}; ${t("opens {name}", { name: mainOf(unit, phase).name })}`;
}

/** What a number was before the change, in words; nothing if it is the same. */
export function was(number: Drawn, before: Map<string, Drawn>): string {
  const old = before.get(number.id);
  return old && old.shown !== number.shown ? t("before the change: {value}", { value: old.shown }) : "";
}

/** What all cards are written with: the numbers of before the change, which are lit, which come later, and what a click does. */
export interface Writing {
  before: Map<string, Drawn>;
  lit: Set<string>;
  reached: (id: string) => boolean;
  open: (id: string) => void;
}

/** The card itself: what is focused and opened. What is written on it stands beside it, so that its name is a sentence. */
export function Frame({ box, opens, ...given }: { box: Box; opens: Drawn } & Record<string, unknown>) {
  const { x, y, width, height } = box;
  return (
    <rect class="card" role="button" x={x - width / 2} y={y - height / 2} width={width} height={height} rx={8} {...given}>
      <title>{t("opens {name}", { name: opens.name })}</title>
    </rect>
  );
}

const SOFT = 5.9; // about how wide a letter of a label is

/** A number on a card with its label. What it was before stands between them where there is room, else where it is pointed at. */
export function Line({ box, y, label, number, few, before, lit, reached, open }: Writing & { box: Box; y: number; few: boolean } & Row) {
  const left = box.x - box.width / 2;
  const said = was(number, before);
  const old = said ? before.get(number.id)!.brief : "";
  const pad = box.width < 100 ? 6 : 10;
  const free = box.width - 2 * pad - SOFT * label.length - (label ? 6 : 0);
  const beside = old && wide(number.brief) + 6.4 * old.length + 6 <= free;
  const whole = !few && !beside && wide(number.shown) <= free;
  const classes = [lit.has(number.id) && "lit", !reached(number.id) && "later", said && "changed"];
  const click = (event: Event) => {
    event.stopPropagation();
    open(number.id);
  };
  return (
    <g class={`row ${classes.filter(Boolean).join(" ")}`} onClick={click}>
      <title>{[t("opens {name}", { name: number.name }), said].filter(Boolean).join("; ")}</title>
      <rect class="under" x={left + 4} y={y - 13} width={box.width - 8} height={17} rx={3} />
      {label && <text class="soft" x={left + pad} y={y}>{label}</text>}
      {beside && <text class="old" x={left + box.width - pad - wide(number.brief) - 6} y={y}>{set(old)}</text>}
      <text class={!label && wide(number.brief) > free ? "number tight" : "number"} x={left + box.width - pad} y={y}>
        {set(whole ? number.shown : number.brief)}
      </text>
    </g>
  );
}

/** What is written on a unit's card. Where it has room for one number it is the one that is shown just now, if it stands here. */
export function Card({ box, plan, title, rows, main, numbers, current, ...writing }: Writing & {
  box: Box;
  plan: Layout;
  title: string;
  rows: Row[];
  main: Drawn;
  numbers: Drawn[];
  current: string | undefined;
}) {
  const left = box.x - box.width / 2;
  const top = box.y - box.height / 2;
  if (plan.bare) return <g aria-hidden="true"><text class="title bare" x={box.x} y={box.y + 4}>{title}</text></g>;
  const small = plan.size === "small";
  const lines = small ? [{ label: "", number: numbers.find(({ id }) => id === current) ?? main }] : rows;
  return (
    <g aria-hidden="true">
      <text class="title" x={left + (box.width < 100 ? 6 : 10)} y={top + 17}>{title}</text>
      {lines.map((row, i) => <Line key={i} {...row} {...writing} box={box} y={top + 35 + i * 17} few={plan.few || small} />)}
    </g>
  );
}

/** What is written on a card without a title: one or two numbers. */
export function Rows({ box, rows, few, ...writing }: Writing & { box: Box; rows: Row[]; few: boolean }) {
  const first = box.y - ((rows.length - 1) * 17) / 2 + 4;
  return <g aria-hidden="true">{rows.map((row, i) => <Line key={i} {...row} {...writing} box={box} y={first + i * 17} few={few} />)}</g>;
}
