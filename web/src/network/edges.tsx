// The weights, or their gradients: colour and dashes say the sign of the number that a line shows, width its size; those that are
// active have an arrow the way numbers go.

import { set } from "../phrases";
import type { Drawn, Edge, Phase } from "../data";
import { along, line, wide, type Layout, type Tag } from "./layout";
import { stand, type Lit } from "./lit";

interface Props {
  edges: Edge[];
  plan: Layout;
  phase: Phase;
  lit: Lit;
  hovered: string | null;
  before: Map<string, Drawn>;
  focused: string | null;
  reached: (id: string) => boolean;
  name: (edge: Edge) => string;
  open: (id: string) => void;
  hover: (key: string | null) => void;
}

/** The number of a weight that a phase is about. */
export function ofPhase(edge: Edge, phase: Phase) {
  if (phase === "backward") return edge.numbers.gradient ?? edge.numbers.weight!;
  if (phase === "update") return edge.numbers.new ?? edge.numbers.weight!;
  return edge.numbers.weight!;
}

export function Edges(props: Props) {
  const { edges, plan, phase, lit, hovered, focused, open, hover, name } = props;
  const largest = largestOf(edges, phase);
  const back = phase === "backward";
  return (
    <g class="edges">
      {edges.map((edge) => {
        const { x1, y1, x2, y2 } = line(plan, edge);
        const state = stand(lit, edge.key);
        const value = valueOf(edge, phase);
        const size = 1 + 3.5 * (Math.abs(value) / (largest.get(edge.layer) || 1));
        return (
          <g
            key={edge.key}
            data-key={edge.key}
            class={`edge ${value < 0 ? "minus" : "plus"} ${state} ${hovered === edge.key ? "hovered" : ""}`}
            role="button"
            tabindex={focused === edge.key ? 0 : -1}
            aria-label={name(edge)}
            onClick={() => open(ofPhase(edge, phase).id)}
            onMouseEnter={() => hover(edge.key)}
            onMouseLeave={() => hover(null)}
          >
            <title>{name(edge)}</title>
            <polygon class="reach" points={around(x1, y1, x2, y2)} />
            <line class="ring" x1={x1} y1={y1} x2={x2} y2={y2} />
            <line class="stroke" x1={x1} y1={y1} x2={x2} y2={y2} stroke-width={size} />
            {(state === "now" || state === "used") && phase !== "update" && <Arrow {...{ x1, y1, x2, y2 }} back={back} />}
          </g>
        );
      })}
    </g>
  );
}

/** The area in which a line is met: a finger is wider than a line. */
function around(x1: number, y1: number, x2: number, y2: number): string {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(-7 * (y2 - y1)) / length, (7 * (x2 - x1)) / length];
  return `${x1 + dx},${y1 + dy} ${x2 + dx},${y2 + dy} ${x2 - dx},${y2 - dy} ${x1 - dx},${y1 - dy}`;
}

/** What the line of a weight is drawn by: the number that it shows. */
function valueOf(edge: Edge, phase: Phase): number {
  return ofPhase(edge, phase).value ?? 0;
}

function largestOf(edges: Edge[], phase: Phase): Map<number, number> {
  const found = new Map<number, number>();
  for (const edge of edges) found.set(edge.layer, Math.max(found.get(edge.layer) ?? 0, Math.abs(valueOf(edge, phase))));
  return found;
}

/** A head on the line, near where the number arrives. */
function Arrow({ x1, y1, x2, y2, back }: { x1: number; y1: number; x2: number; y2: number; back: boolean }) {
  const [tx, ty, fx, fy] = back ? [x1, y1, x2, y2] : [x2, y2, x1, y1];
  const angle = (Math.atan2(ty - fy, tx - fx) * 180) / Math.PI;
  const x = tx - 0.09 * (tx - fx); // a little before the end, where several lines have not met yet
  const y = ty - 0.09 * (ty - fy);
  return <path class="arrow" d="M -7 -6.5 L 7 0 L -7 6.5 Z" transform={`translate(${x} ${y}) rotate(${angle})`} />;
}

/** The labels of the weights: of all where there is room, else of those that are active, pointed at or focused. */
export function Labels({ edges, plan, phase, lit, hovered, focused, before, reached, active }: Props & { active: string | null }) {
  const layers = new Map<number, Edge[]>();
  for (const edge of edges) layers.set(edge.layer, [...(layers.get(edge.layer) ?? []), edge]);
  const pointed = hovered ?? (active && active === focused ? active : null);
  return (
    <g class="labels" aria-hidden="true">
      {[...layers.values()].map((layer) => {
        const all = layer.map((edge) => tag(edge, phase, before));
        let shown = all;
        let place = along(plan, all);
        if (place === null || !roomy(plan, all, place)) {
          shown = all.filter(({ edge }) => stand(lit, edge.key) === "now" || stand(lit, edge.key) === "used" || edge.key === pointed);
          if (pointed && shown.some(({ edge }) => edge.key === pointed)) shown = shown.filter(({ edge }) => edge.key === pointed);
          place = along(plan, shown);
          if (place !== null && !roomy(plan, shown, place)) shown = shown.filter(({ edge }) => stand(lit, edge.key) === "now");
        }
        if (place === null && shown.length) [shown, place] = [shown.slice(0, 1), 0.5];
        return shown.map(({ edge, name, value, width, changed }) => {
          const { x1, y1, x2, y2 } = line(plan, edge);
          const x = x1 + place! * (x2 - x1);
          const y = y1 + place! * (y2 - y1);
          return (
            <g class={`label ${stand(lit, edge.key)} ${reached(ofPhase(edge, phase).id) ? "" : "later"} ${changed ? "changed" : ""}`} key={edge.key}>
              <rect x={x - width / 2} y={y - 14} width={width} height={28} rx={4} />
              <text x={x} y={y - 3} class="soft">{name}</text>
              <text x={x} y={y + 10} class="number">{value}</text>
            </g>
          );
        });
      })}
    </g>
  );
}

/** Whether no label of a layer touches another at this place. */
function roomy(plan: Layout, tags: Tag[], place: number): boolean {
  const spots = tags.map((each) => {
    const { x1, y1, x2, y2 } = line(plan, each.edge);
    return { x: x1 + place * (x2 - x1), y: y1 + place * (y2 - y1), width: each.width };
  });
  return spots.every((a, i) =>
    spots.every((b, j) => j <= i || Math.abs(a.y - b.y) >= 28 || Math.abs(a.x - b.x) >= (a.width + b.width) / 2),
  );
}

function tag(edge: Edge, phase: Phase, before: Map<string, Drawn>): Tag {
  const number = ofPhase(edge, phase);
  const weight = edge.numbers.weight!;
  const old = before.get(number.id);
  let name = phase === "backward" && number !== weight ? `∂E/∂${edge.name}` : edge.name;
  let value = phase === "given" || phase === "forward" || phase === "loss" ? short(number.shown, number.brief) : number.brief;
  if (phase === "update" && number !== weight) [name, value] = [`${edge.name} ${weight.brief}`, `→ ${number.brief}`];
  const changed = old !== undefined && old.shown !== number.shown;
  // the name of a gradient leaves no room for what it was: that is said where the line is pointed at
  if (changed && number === weight) [name, value] = [`${name} ${short(old.shown, old.brief)}`, `→ ${value}`];
  return { edge, name: number === weight || phase === "update" ? set(name) : name, value: set(value), changed, width: Math.max(wide(name) * 0.9, wide(value)) + 6 };
}

function short(shown: string, brief: string): string {
  return shown.length <= 6 ? shown : brief;
}
