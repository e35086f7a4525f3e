// Which numbers are left blank.

import type { Step, View } from "../data";

export const SCOPES = ["all", "forward", "backward", "update"] as const;
export type Scope = (typeof SCOPES)[number] | `layer ${number}`;

export interface Group {
  title: string;
  heading: string;
  steps: Step[];
}

const PHASES: Record<string, string[]> = {
  all: ["forward", "loss", "backward", "update"],
  forward: ["forward", "loss"],
  backward: ["backward"],
  update: ["update"],
};

/** The numbers to fill in, in the order of the calculation, as the story groups them. */
export function blanksOf(view: View, scope: Scope): Group[] {
  const steps = new Map(view.steps.map((step) => [step.id, step]));
  const phases = PHASES[scope] ?? PHASES.all!;
  const layer = scope.startsWith("layer ") ? Number(scope.slice(6)) : 0;
  return view.sections
    .filter((section) => phases.includes(section.phase))
    .flatMap((section) =>
      section.parts.map((part) => ({
        title: section.title,
        heading: part.heading,
        steps: part.paragraphs
          .flatMap((paragraph) => paragraph.ids)
          .filter((id) => !layer || layerOf(id) === layer)
          .map((id) => steps.get(id)!)
          .filter(Boolean),
      })),
    )
    .filter((group) => group.steps.length);
}

/** The layer in an id such as dE/dW[2][1,1]; 0 where none is named. */
function layerOf(id: string): number {
  const found = /\[(\d+)\]\[/.exec(id) ?? /(?:^|\/d)b\+?\[(\d+)\]/.exec(id);
  return found ? Number(found[1]) : 0;
}
