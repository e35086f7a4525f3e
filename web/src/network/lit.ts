// What lights up: the number that is shown, the numbers it is made of, and everything between them.

import type { Step } from "../data";
import type { Desk } from "../desk";

export interface Lit {
  now: string; // the key of the place that is shown
  used: Set<string>; // keys of what it is made of
  ids: Set<string>; // the numbers themselves
}

const NOTHING: Lit = { now: "", used: new Set(), ids: new Set() };

export function litBy(step: Step | undefined, desk: Desk): Lit {
  if (!step) return NOTHING;
  const used = new Set<string>();
  for (const id of step.uses) {
    const spot = desk.step(id)?.spot;
    if (spot) used.add(spot);
    if (spot?.startsWith("e") && step.spot === spot) for (const end of ends(spot)) used.add(end);
  }
  if (step.spot.startsWith("e")) for (const end of ends(step.spot)) used.add(end);
  return { now: step.spot, used, ids: new Set([step.id, ...step.uses]) };
}

/** The two units of a weight's key. */
function ends(spot: string): [string, string] {
  const [layer, to, from] = spot.slice(1).split(".").map(Number);
  return [`u${layer! - 1}.${from}`, `u${layer}.${to}`];
}

/** How a place stands to the shown number, as a class. */
export function stand(lit: Lit, key: string): string {
  if (lit.now === key) return "now";
  if (lit.used.has(key)) return "used";
  return lit.now ? "rest" : "";
}
