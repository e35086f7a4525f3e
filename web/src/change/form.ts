// The shapes of the form that Python sends (`page/fields.py`, `page/choices.py`, `page/changing.py`). Types only.

import type { Value } from "../data";

/** A number or a choice, and where it stands. */
export interface Field {
  path: string;
  label: string;
  value: Value;
  options: [string, string][];
  wanted: string;
  whole?: boolean;
}

/** A number with a place of its own: a weight, a bias, an input, a target. */
export interface Cell {
  path: string;
  name: string;
  value: Value;
}

export interface Layer {
  layer: number;
  title: string;
  dense: boolean;
  last: boolean;
  units: number;
  senders: number;
  fields: Field[];
  matrix: { columns: string[]; rows: string[]; numbers: Cell[][] } | null;
  vectors: { title: string; numbers: Cell[] }[];
  biases: "" | "none" | "shared" | "per_unit";
}

export interface Sample {
  sample: number;
  inputs: Cell[];
  targets?: Cell[];
  label?: { path: string; value: string };
}

export interface Data {
  table: string;
  rows: number;
  legend: string[];
  inputs: string[];
  targets: string[];
  classes: string[];
  samples: Sample[];
}

export interface Form {
  version: number;
  after: number;
  changed: boolean;
  groups: { name: string; title: string; fields: Field[] }[];
  layers: Layer[];
  data: Data;
}

export interface Choices {
  conventions: { path: string; label: string; options: [string, string][] }[];
  varied: [string, string][]; // what can be put side by side, and its label
}

/** Two or more ways to choose, side by side. */
export interface Comparison {
  version: number;
  columns: { label: string; same: string[] }[];
  rows: { name: string; cells: string[]; differs: boolean }[];
  left_out: number;
}
