// What Python sends about training: `page/practising.py` makes it.

/** Updates done, and the loss then. */
export type Point = [number, number];

/** Where training stands. */
export interface State {
  running: boolean;
  number: number;
  rate: number;
  last: Point | null;
  shown: string;
  full: string;
  least: Point | null;
  stride: number;
  points: Point[];
  ended: string;
  told: string;
  again?: boolean; // whether `points` are all of them, and not only what is new
}

/** A recorded run: what it wrote down after each epoch, and how many of its updates can be looked at. */
export interface Run {
  recorded: true;
  steps: number;
  curves: { loss: Point[]; validation: Point[] };
}

export type Trained = Run | (State & { recorded: false });

/** A unit's numbers over the plane: levels 0 ... 255 from least to most, row by row from the upper left, as base64. */
export interface Surface {
  layer: number;
  unit: number;
  name: string;
  least: number;
  most: number;
  levels: string;
}

export interface Axis {
  name: string;
  least: number;
  most: number;
  shown: [string, string];
}

/** Place, class or level, and the sample in the step that is looked at (0 if it is in none). */
export type Dot = [number, number, number, number];

export interface Surfaces {
  number: number;
  resolution: number;
  axes: [Axis, Axis];
  kind: "classes" | "values";
  classes: string[];
  points: Dot[];
  all: number;
  outputs: Surface[];
  units: Surface[];
  winner?: string;
}

export interface There {
  number: number;
  inputs: { name: string; shown: string }[];
  outputs: { name: string; shown: string; full: string }[];
  class: string;
}
