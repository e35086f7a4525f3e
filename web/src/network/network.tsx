// The drawing of the network: columns of units, the weights between them, targets and loss at the end.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Column, Drawn, Edge, Phase, Unit, View } from "../data";
import { useDesk } from "../desk";
import { t } from "../phrases";
import { goTo } from "../try/blank";
import { masked } from "../try/masked";
import { useWalk } from "../walk/frames";
import { Card, Frame, mainOf, rowsOf, Rows, unitSentence, was } from "./cards";
import { Edges, Labels, ofPhase } from "./edges";
import { LEAST, layout, type Layout } from "./layout";
import { litBy, stand } from "./lit";
import { Strips } from "./strips";
import "./network.css";

export function Network() {
  const { view } = useDesk();
  return view.network.edges ? <Drawing /> : <Strips />;
}

const NONE: Set<string> = new Set();

/** What a layer is called. */
export function layerName(layer: number, layers: number): string {
  if (layer === 0) return t("Inputs");
  if (layer === layers) return t("Output layer");
  return layers === 2 ? t("Hidden layer") : t("Hidden layer {n}", { n: layer });
}

function Drawing() {
  const desk = useDesk();
  const { view, tab } = desk;
  const walk = useWalk();
  const drawn = useMemo(() => (tab === "try" ? masked(view, desk.answers) : view.network), [tab, view, desk.answers]);
  const { columns, loss } = drawn;
  const edges = drawn.edges!;
  const [room, holder] = useRoom();
  const [focus, setFocus] = useState<string | null>(null);
  const [inside, setInside] = useState(false);
  const [hovered, hover] = useState<string | null>(null);
  const ends = !!loss && !!columns[columns.length - 1]?.units;
  const plan = useMemo(() => layout(columns, room, ends), [columns, room, ends]);
  // beside a question mark an old value would be a hint
  const before = useMemo(() => oldNumbers(tab === "try" ? null : desk.before), [tab, desk.before]);
  const phase: Phase = tab === "walk" ? walk.phase : "forward";
  const lit = litBy(walk.step, desk);
  const reached = (id: string) => tab !== "walk" || walk.when(id) <= walk.at;
  const near = (key: string) => lit.now === key || lit.used.has(key); // a shared bias is lit where it is used, not at every unit
  const focused = focus ?? "u0.0";
  const layers = columns.length - 1;
  const drawnNumbers = [
    ...columns.flatMap(({ layer, units }) => (units ?? []).flatMap((unit) => (layer ? rowsOf(unit, phase).map(({ number }) => number) : []))),
    ...edges.map((edge) => ofPhase(edge, phase)),
    ...(loss ? [loss.number] : []),
  ];
  const pale = drawnNumbers.some(({ id }) => !reached(id));
  const outputs = columns[layers]?.units ?? [];

  const edgeName = (edge: Edge) => [edgeSentence(edge, columns, phase), was(ofPhase(edge, phase), before)].filter(Boolean).join(", ");
  const open = (id: string) => (tab === "try" ? goTo(id) : walk.open(id));
  const move = (event: KeyboardEvent) => {
    const key = (event.target as Element).closest("[data-key]")?.getAttribute("data-key");
    if (!key) return;
    const next = neighbour(key, event.key, columns, ends);
    if (event.key === "Enter" || event.key === " ") (document.activeElement as SVGElement).dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else if (next) {
      setFocus(next);
      (event.currentTarget as Element).querySelector<SVGElement>(`[data-key="${next}"]`)?.focus();
    } else return;
    event.preventDefault();
  };
  const item = (key: string, label: string) => ({
    "data-key": key,
    tabindex: focused === key ? 0 : -1,
    "aria-label": label,
    onFocus: () => setFocus(key),
  });
  const shared = { edges, plan, phase, lit, hovered, before, focused, name: edgeName, open, hover, reached };

  return (
    <div
      class="network"
      ref={holder}
      onFocusCapture={() => setInside(true)}
      onBlurCapture={() => setInside(false)}
    >
      <svg
        viewBox={`0 0 ${plan.width} ${plan.height}`}
        width={plan.width}
        height={plan.height}
        style={{ minWidth: `${LEAST * plan.width}px` }}
        class={`${plan.size} ${phase} ${plan.down ? "down" : ""}`}
        role="group"
        aria-label={t("Network. Arrow keys go between units, W to a unit's weights, Enter opens a number.")}
        onKeyDown={move}
      >
        <g class="ties">
          {columns.slice(1).flatMap((column) =>
            edges.some((edge) => edge.layer === column.layer)
              ? []
              : (column.units ?? []).map((unit, i) => <Tie plan={plan} from={`u${column.layer - 1}.${i}`} to={unit.key} />),
          )}
        </g>
        {ends && <Ties plan={plan} outputs={outputs} lit={(key) => stand(lit, key)} />}
        <Edges {...shared} />
        {plan.heads.map(({ column, x, y, anchor }) => (
          <text class="head" x={x} y={y} text-anchor={anchor}>
            <tspan>{layerName(column.layer, layers)}</tspan>
            {column.rule && (
              <tspan class="soft" {...(plan.down ? { dx: 8 } : { x, dy: 15 })}>{column.rule}</tspan>
            )}
          </text>
        ))}
        <Labels {...shared} active={inside ? focused : null} />
        {columns.map((column) =>
          column.units?.map((unit) => {
            const main = mainOf(unit, phase);
            const bias = lit.now === `b${column.layer}` || lit.now === unit.key.replace("u", "b");
            return (
              <g key={unit.key} class={`unit ${stand(lit, unit.key)} ${bias ? "now" : ""}`} onClick={() => open(main.id)}>
                <Frame box={plan.units.get(unit.key)!} opens={main} {...item(unit.key, unitSentence(unit, phase, !column.layer, before))} />
                <Card
                  {...{ before, reached, open, main, plan }} box={plan.units.get(unit.key)!} title={unit.unit}
                  numbers={Object.values(unit.numbers)} current={walk.step?.id}
                  rows={column.layer ? rowsOf(unit, phase) : [{ label: "", number: unit.numbers.out! }]} lit={near(unit.key) || bias ? lit.ids : NONE}
                />
              </g>
            );
          }),
        )}
        {ends &&
          outputs.map((unit, i) => {
            const { target, loss: part } = unit.numbers;
            const rows = [
              ...(target ? [{ label: t("target"), number: target }] : []),
              ...(part ? [{ label: "E", number: part }] : []),
            ];
            if (!rows.length) return null;
            const label = rows.flatMap(({ number }) => [`${number.name}: ${number.shown}`, was(number, before) || []].flat()).join(", ");
            const main = phase === "loss" && part ? part : rows[0]!.number;
            return (
              <g key={`t${i}`} class={`unit end ${stand(lit, `t${i}`)}`} onClick={() => open(main.id)}>
                <Frame box={plan.targets.get(`t${i}`)!} opens={main} {...item(`t${i}`, `${label}; ${t("opens {name}", { name: main.name })}`)} />
                <Rows {...{ before, reached, open }} box={plan.targets.get(`t${i}`)!} few={plan.few} rows={rows} lit={lit.ids} />
              </g>
            );
          })}
        {plan.loss && loss && (
          <g class={`unit end ${stand(lit, "E")}`} onClick={() => open(loss.number.id)}>
            <Frame box={plan.loss} opens={loss.number} {...item("E", [`${loss.number.name}: ${loss.number.shown}`, was(loss.number, before)].filter(Boolean).join(", "))} />
            <Rows
              {...{ before, reached, open }} box={plan.loss} few={plan.few} lit={lit.ids}
              rows={[{ label: t("loss"), number: loss.number }]}
            />
          </g>
        )}
      </svg>
      <Legend phase={phase} plan={plan} pale={pale} />
    </div>
  );
}

/** A thin line where numbers go on without a weight: through a layer that normalises, or leaves out. */
function Tie({ plan, from, to }: { plan: Layout; from: string; to: string }) {
  const a = plan.units.get(from);
  const b = plan.units.get(to);
  if (!a || !b) return null;
  return plan.down ? (
    <line x1={a.x} y1={a.y + a.height / 2} x2={b.x} y2={b.y - b.height / 2} />
  ) : (
    <line x1={a.x + a.width / 2} y1={a.y} x2={b.x - b.width / 2} y2={b.y} />
  );
}

/** The thin lines from the outputs to their targets, and to the loss. */
function Ties({ plan, outputs, lit }: { plan: Layout; outputs: Unit[]; lit: (key: string) => string }) {
  return (
    <g class="ties">
      {outputs.map((unit, i) => {
        const a = plan.units.get(unit.key)!;
        const b = plan.targets.get(`t${i}`)!;
        return plan.down ? (
          <line class={lit(`t${i}`)} x1={a.x} y1={a.y + a.height / 2} x2={b.x} y2={b.y - b.height / 2} />
        ) : (
          <line class={lit(`t${i}`)} x1={a.x + a.width / 2} y1={a.y} x2={b.x - b.width / 2} y2={b.y} />
        );
      })}
    </g>
  );
}

function Legend({ phase, plan, pale }: { phase: Phase; plan: Layout; pale: boolean }) {
  const full = plan.size === "full";
  const words = {
    given: full ? t("Units show bias, weighted sum and output; lines show weights.") : t("Units show their output; lines show weights."),
    backward: full ? t("Units show output, slope of the loss and delta; lines show gradients.") : t("Units show their delta; lines show gradients."),
    update: full
      ? t("Units show delta, old and new bias; lines show old and new weights.")
      : t("Units show their new bias; lines show old and new weights."),
  };
  const bare = { given: t("Lines show weights."), backward: t("Lines show gradients."), update: t("Lines show old and new weights.") };
  const kind = phase === "backward" || phase === "update" ? phase : "given";
  return (
    <p class="legend">
      <span><svg width="26" height="8" aria-hidden="true"><line class="key plus" x1="0" y1="4" x2="26" y2="4" /></svg> {t("positive")}</span>
      <span><svg width="26" height="8" aria-hidden="true"><line class="key minus" x1="0" y1="4" x2="26" y2="4" /></svg> {t("negative")}</span>
      <span>{t("thicker: larger")}</span>
      <span>{plan.bare ? `${bare[kind]} ${t("Open a unit for its numbers.")}` : words[kind]}</span>
      {pale && <span>{t("Pale numbers are computed later.")}</span>}
    </p>
  );
}

export function edgeSentence(edge: Edge, columns: Column[], phase: Phase): string {
  const name = (layer: number, unit: number) => columns[layer]?.units?.[unit]?.unit ?? `${layer}.${unit + 1}`;
  const said = t("{name}, weight from {from} to {to}: {value}", {
    name: edge.name, from: name(edge.layer - 1, edge.from), to: name(edge.layer, edge.to), value: edge.shown,
  });
  const number = ofPhase(edge, phase);
  return number === edge.numbers.weight ? said : `${said}; ${number.name} ${number.shown}`;
}

/** The key of what an arrow key, Home, End or W leads to. */
function neighbour(key: string, pressed: string, columns: Column[], ends: boolean): string | null {
  const last = columns.length - 1;
  const size = (layer: number) => columns[layer]?.size ?? 0;
  if (pressed === "Home") return "u0.0";
  if (pressed === "End") return ends ? "E" : `u${last}.${size(last) - 1}`;
  if (key.startsWith("e")) {
    const [layer, to, from] = key.slice(1).split(".").map(Number) as [number, number, number];
    const wrap = (by: number) => `e${layer}.${to}.${(from + by + size(layer - 1)) % size(layer - 1)}`;
    return (
      { ArrowDown: wrap(1), ArrowUp: wrap(-1), ArrowRight: `u${layer}.${to}`, ArrowLeft: `u${layer - 1}.${from}`, Escape: `u${layer}.${to}` }[
        pressed
      ] ?? null
    );
  }
  if (key === "E") return pressed === "ArrowLeft" || pressed === "ArrowUp" ? `t${size(last) - 1}` : null;
  const target = key.startsWith("t");
  const [layer, unit] = target ? [last + 1, Number(key.slice(1))] : (key.slice(1).split(".").map(Number) as [number, number]);
  const at = (layer: number, unit: number) => (layer > last ? `t${unit}` : `u${layer}.${unit}`);
  const rows = target ? size(last) : size(layer);
  const beside = (by: number) => {
    const next = layer + by;
    if (next < 0 || next > last + (ends ? 1 : 0)) return null;
    const there = next > last ? size(last) : size(next);
    return at(next, Math.round(rows > 1 ? (unit / (rows - 1)) * (there - 1) : (there - 1) / 2));
  };
  switch (pressed) {
    case "ArrowRight":
      return target ? "E" : beside(1);
    case "ArrowLeft":
      return beside(-1);
    case "ArrowDown":
      return unit + 1 < rows ? at(layer, unit + 1) : target ? "E" : null;
    case "ArrowUp":
      return unit > 0 ? at(layer, unit - 1) : null;
    case "w":
    case "W":
      return !target && layer > 0 ? `e${layer}.${unit}.0` : null;
    default:
      return null;
  }
}

/** Every number of the drawing before the change, as it was written. */
function oldNumbers(before: View | null): Map<string, Drawn> {
  const found = new Map<string, Drawn>();
  for (const column of before?.network.columns ?? [])
    for (const unit of column.units ?? []) for (const number of Object.values(unit.numbers)) found.set(number.id, number);
  for (const edge of before?.network.edges ?? []) for (const number of Object.values(edge.numbers)) found.set(number.id, number);
  const loss = before?.network.loss?.number;
  if (loss) found.set(loss.id, loss);
  return found;
}

/** The width there is for the drawing. */
function useRoom(): [number, { current: HTMLDivElement | null }] {
  const holder = useRef<HTMLDivElement | null>(null);
  const [room, setRoom] = useState(800);
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return;
    const measure = () => setRoom(Math.round(element.clientWidth) || 800);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [room, holder];
}
