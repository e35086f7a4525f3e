// Where things stand in the drawing. Layers go from left to right, or from top to bottom where there is little room.

import type { Column, Edge } from "../data";

export interface Box {
  x: number; // the middle
  y: number;
  width: number;
  height: number;
}

export type Size = "full" | "small";

export interface Layout {
  size: Size;
  few: boolean; // numbers in few figures
  bare: boolean; // units with their name only
  down: boolean; // layers from top to bottom
  width: number;
  height: number;
  units: Map<string, Box>;
  heads: { column: Column; x: number; y: number; anchor: "middle" | "start" }[];
  targets: Map<string, Box>;
  loss: Box | null;
}

const EDGE = 4; // around everything: room for the ring of the focus
const HEAD = 38; // for the name of a layer above it
const FULL = { width: 146, height: 78, apart: 22 };
const SHORT = { width: 124, height: 78, apart: 22 }; // numbers in few figures, where all digits would make everything small
const SMALL = { width: 96, height: 42, apart: 10 };
const BARE = { width: 36, height: 28, apart: 8 };
const NUMBER = 58; // the least width of a card with a number on it
const INPUT = { full: { width: 96, height: 44 }, small: { width: 84, height: 42 } };
const GAP = 124; // between two layers, from left to right
const SHORT_GAP = 90; // the same where there is little room
const DOWN = 104; // the same from top to bottom
const END = { width: 136, height: 50, gap: 20 };
const SHORT_END = 100;
/** Drawn smaller than this a text cannot be read: there are fewer figures then, and at last the drawing is pushed to and fro. */
export const LEAST = 0.9;
const NARROW = 620; // below this many pixels layers go from top to bottom

/** Places everything for a width in pixels. */
export function layout(columns: Column[], room: number, ends: boolean): Layout {
  const most = Math.max(...columns.map((column) => column.size));
  const down = downwards(columns, room, most, ends);
  if (room < NARROW) return down;
  const beside = across(columns, room, most, ends);
  return room < LEAST * beside.width && down.width < beside.width ? down : beside;
}

function across(columns: Column[], room: number, most: number, ends: boolean): Layout {
  const size: Size = most > 6 ? "small" : "full";
  const whole = INPUT.full.width + (columns.length - 1) * (FULL.width + GAP) + END.gap + END.width;
  const short = room / whole < LEAST;
  const gap = short ? SHORT_GAP : GAP;
  const card = size === "small" ? SMALL : short ? SHORT : FULL;
  const end = short ? SHORT_END : END.width;
  const pitch = card.height + card.apart;
  const tall = most * pitch - card.apart;
  const last = columns[columns.length - 1]!.size;
  const units = new Map<string, Box>();
  const heads: Layout["heads"] = [];
  const middle = EDGE + HEAD + tall / 2;
  let left = EDGE;
  for (const column of columns) {
    const own = column.layer ? card : short ? INPUT.small : INPUT[size];
    const x = left + own.width / 2;
    column.units?.forEach((unit, i) => {
      units.set(unit.key, { x, y: middle + (i - (column.size - 1) / 2) * pitch, width: own.width, height: own.height });
    });
    heads.push({ column, x, y: middle - (column.size * pitch - card.apart) / 2 - 22, anchor: "middle" });
    left += own.width + gap;
  }
  left -= gap;
  const targets = new Map<string, Box>();
  let loss: Box | null = null;
  if (ends) {
    left += END.gap;
    const x = left + end / 2;
    columns[columns.length - 1]!.units?.forEach((unit, i) => {
      targets.set(`t${i}`, { x, y: units.get(unit.key)!.y, width: end, height: size === "full" ? END.height : SMALL.height });
    });
    loss = { x, y: middle + (last * pitch - card.apart) / 2 + 14 + 18, width: end, height: 36 };
    left += end;
  }
  const bottom = Math.max(middle + tall / 2, loss ? loss.y + loss.height / 2 : 0);
  return { size, few: short, bare: false, down: false, width: left + EDGE, height: bottom + EDGE, units, heads, targets, loss };
}

function downwards(columns: Column[], room: number, most: number, ends: boolean): Layout {
  const wide = Math.max(320, room) - 2 * EDGE;
  const size: Size = most * (FULL.width + 12) - 12 <= wide ? "full" : "small";
  const each = (wide - 8 * (most - 1)) / most;
  const bare = size === "small" && each < NUMBER; // a name has room where a number has none
  const card = size === "full" ? FULL : bare ? { ...BARE, width: Math.max(BARE.width, each) } : { ...SMALL, width: Math.min(SMALL.width, each) };
  const pitch = Math.max(card.width + 8, Math.min(wide / most, card.width * 1.35));
  const width = Math.max(wide, most * pitch) + 2 * EDGE;
  const units = new Map<string, Box>();
  const heads: Layout["heads"] = [];
  let top = EDGE;
  for (const column of columns) {
    heads.push({ column, x: EDGE, y: top + 12, anchor: "start" });
    const own = column.layer || bare ? card : { ...INPUT[size], width: Math.min(INPUT[size].width, card.width) };
    const y = top + 22 + own.height / 2;
    column.units?.forEach((unit, i) => {
      units.set(unit.key, { x: width / 2 + (i - (column.size - 1) / 2) * pitch, y, width: own.width, height: own.height });
    });
    top = y + own.height / 2 + DOWN - 22;
  }
  top -= DOWN - 22;
  const targets = new Map<string, Box>();
  let loss: Box | null = null;
  if (ends) {
    const height = size === "full" ? END.height : SMALL.height;
    const last = columns[columns.length - 1]!.size;
    const y = top + 18 + height / 2;
    columns[columns.length - 1]!.units?.forEach((unit, i) => {
      targets.set(`t${i}`, { x: units.get(unit.key)!.x, y, width: last === 1 ? END.width : Math.min(END.width, pitch - 8), height });
    });
    loss = { x: width / 2, y: y + height / 2 + 16 + 18, width: END.width, height: 36 };
    top = loss.y + 18;
  }
  return { size, few: false, bare, down: true, width, height: top + EDGE, units, heads, targets, loss };
}

export interface Line {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** From the edge of one card to the edge of the other. */
export function line(plan: Layout, edge: Edge): Line {
  const from = plan.units.get(`u${edge.layer - 1}.${edge.from}`)!;
  const to = plan.units.get(`u${edge.layer}.${edge.to}`)!;
  return plan.down
    ? { x1: from.x, y1: from.y + from.height / 2, x2: to.x, y2: to.y - to.height / 2 }
    : { x1: from.x + from.width / 2, y1: from.y, x2: to.x - to.width / 2, y2: to.y };
}

export interface Tag {
  edge: Edge;
  name: string;
  value: string;
  changed: boolean;
  width: number;
}

const LETTER = 6.7; // about how wide a figure of the labels is
const TALL = 28;

/** How wide a text will be, about. */
export function wide(text: string): number {
  return text.length * LETTER;
}

/** Where along its lines the labels of a layer's weights stand so that none covers another; null if there is no such place. */
export function along(plan: Layout, tags: Tag[]): number | null {
  if (!tags.length) return null;
  const lines = tags.map((tag) => line(plan, tag.edge));
  let best: number | null = null;
  let most = -1;
  for (let place = 0.2; place <= 0.801; place += 0.02) {
    const boxes = lines.map((each, i) => ({
      x: each.x1 + place * (each.x2 - each.x1), y: each.y1 + place * (each.y2 - each.y1), width: tags[i]!.width, height: TALL,
    }));
    const inside = boxes.every((box, i) => {
      const each = lines[i]!;
      return plan.down
        ? box.y - TALL / 2 >= each.y1 + 2 && box.y + TALL / 2 <= each.y2 - 22
        : box.x - box.width / 2 >= each.x1 + 3 && box.x + box.width / 2 <= each.x2 - 8;
    });
    if (!inside) continue;
    let free = Infinity;
    for (let i = 0; i < boxes.length; i++)
      for (let j = i + 1; j < boxes.length; j++) {
        const a = boxes[i]!;
        const b = boxes[j]!;
        const x = Math.abs(a.x - b.x) - (a.width + b.width) / 2 - 2;
        const y = Math.abs(a.y - b.y) - TALL;
        free = Math.min(free, Math.max(x, y));
      }
    if (free > most) [most, best] = [free, place];
  }
  return best;
}
