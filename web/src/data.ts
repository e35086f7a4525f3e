// The shapes of what Python sends: `explain/scene.py` and `page/` make them. Types only; nothing here computes.

/** A number as JSON has it; what JSON cannot hold (infinity, NaN, a fraction) is its text. */
export type Value = number | string;

/** A piece of MathML: text, or an element's name, its attributes if it has any, and what stands in it. */
export type Tree = string | [string, ...(Tree | Record<string, string>)[]];

export type Phase = "given" | "forward" | "loss" | "backward" | "update";

/** One number, and how it came about. */
export interface Step {
  id: string;
  name: string;
  phase: Phase;
  sample: number | null;
  formula: string;
  substituted: string;
  value: Value;
  shown: string;
  uses: string[];
  more: number; // numbers of a long sum that are not listed in `uses`
  because: string;
  spot: string; // where in the drawing it belongs: a key of a unit, an edge, a target; "" for nowhere
  array: string; // which array it stands in: that of an Equation
  label: Tree;
  sides: Tree[][]; // formula, formula with numbers, value: each line by line
}

/** A number in the drawing: as it is written, and as it is written where there is little room. */
export interface Drawn {
  id: string;
  name: string;
  shown: string;
  brief: string;
  value?: number | null; // of a number that a line shows: its sign and size say how the line is drawn
}

/** What may be shown at a unit: bias, weighted sum, output, dE/d output, delta, the bias's gradient and new value, target, loss. */
export type UnitNumber = "bias" | "sum" | "out" | "slope" | "delta" | "gradient" | "new" | "target" | "loss";
export type EdgeNumber = "weight" | "gradient" | "new";

export interface Unit {
  key: string;
  unit: string; // its short name: h1
  id: string;
  name: string;
  shown: string;
  numbers: Partial<Record<UnitNumber, Drawn>>;
  sum?: string;
  delta?: string;
  bias?: Drawn;
  target?: Drawn;
}

/** How many numbers are spread: few bins, from the least to the most. */
export interface Spread {
  count: number;
  least?: number;
  mean?: number;
  most?: number;
  bins: number[];
  told?: { least: string; mean: string; most: string };
}

/** The inputs, or a layer. `units` of small networks, `spread` of larger ones. */
export interface Column {
  layer: number;
  size: number;
  rule: string;
  kind: string;
  units?: Unit[];
  spread?: Record<string, Spread>;
}

/** A weight: `to` and `from` count units from 0. */
export interface Edge {
  key: string;
  id: string;
  name: string;
  layer: number;
  to: number;
  from: number;
  value: number;
  shown: string;
  numbers: Partial<Record<EdgeNumber, Drawn>>;
}

export interface Drawing {
  inputs: number;
  columns: Column[];
  edges: Edge[] | null;
  loss: { name: string; number: Drawn } | null; // a prediction has none
  parameters: number;
}

export interface Section {
  phase: Phase;
  title: string;
  parts: { heading: string; paragraphs: { reason: string; ids: string[] }[] }[];
}

export interface Change {
  id: string;
  name: string;
  before: string;
  after: string;
  difference: string;
}

/** A named step of a layer as one equation of whole arrays. */
export interface Matrix {
  sample: string; // whose matrix the value is, where there is one for each sample
  told: string; // what it is, where its name does not say it
  phase: Phase;
  layer: string;
  array: string;
  name: Tree;
  formula: Tree;
  numbers: Tree | null;
  value: Tree;
}

export interface Sheet {
  title: string;
  sentence: string;
  columns: string[];
  rows: string[][];
}

/** Numbers of a kind that a change has moved, the largest changes first. */
export interface Changed {
  title: string;
  changes: Change[];
  changed: number;
  total: number;
}

/** What mount() takes: one step, told. The last keys are there only where a server answers. */
export interface View {
  chainrule: 1;
  title: string;
  notes: string[];
  head: [string, string][];
  language: string;
  phrases: Record<string, string>;
  network: Drawing;
  samples: number;
  sample: number;
  steps: Step[];
  sections: Section[];
  matrices: Matrix[];
  conclusion: string;
  sheets: Sheet[];
  update?: number;
  loss?: { before: Value; after: Value };
  changes?: Change[];
  spec?: string; // the example as TOML, so that a kept file can be opened again
  version?: number;
  whole?: boolean; // whether all numbers of the sample are in `steps`; others are asked for
  after?: number;
  recorded?: boolean; // whether this is an update of a recorded run
  named?: Record<string, string>; // the ids of numbers that the sheets name
  place?: string; // where the sample stands in its table, in words
  undo?: number;
  redo?: number;
  changed?: Changed[] | null; // what the last change came to
  moved?: boolean; // whether numbers of one name are not the same number as before that change
  said?: string[]; // what else came of it, in words
}
