// What Walk goes through: first what is given, then number after number in the order of the calculation.

import { useCallback, useMemo } from "preact/hooks";
import type { Phase, Step, View } from "../data";
import { useDesk } from "../desk";
import { t } from "../phrases";

/** One stop: a number, or (id null) all that is given. */
export interface Frame {
  id: string | null;
  phase: Phase;
  title: string;
  part: string;
  reason: string;
}

export const PHASES: Phase[] = ["given", "forward", "loss", "backward", "update"];

export function phaseName(phase: Phase): string {
  return { given: t("Given"), forward: t("Forward"), loss: t("Loss"), backward: t("Backward"), update: t("Update") }[phase];
}

/** All that is told; of a larger network what leads to the number that was opened. */
export function framesOf(view: View, leading: Step[] = []): Frame[] {
  const first: Frame = { id: null, phase: "given", title: phaseName("given"), part: "", reason: "" };
  const told = view.sections.flatMap((section) =>
    section.parts.flatMap((part) =>
      part.paragraphs.flatMap((paragraph) =>
        paragraph.ids.map((id) => ({
          id, phase: section.phase, title: section.title, part: part.heading, reason: paragraph.reason,
        })),
      ),
    ),
  );
  const derived = view.sections.length ? [] : leading.filter((each) => each.phase !== "given");
  const own = derived.map((each) => ({ id: each.id, phase: each.phase, title: phaseName(each.phase), part: "", reason: each.because }));
  return [first, ...told, ...own];
}

export interface Walking {
  frames: Frame[];
  at: number;
  frame: Frame;
  /** The number that is shown: the chosen one, else the frame's. */
  step: Step | undefined;
  /** The phase the drawing shows. */
  phase: Phase;
  go(to: number): void;
  /** Opens a number; if it is one of the frames, Walk goes there. */
  open(id: string): void;
  /** The frame at which a number is computed; 0 for what is given. */
  when(id: string): number;
}

export function useWalk(): Walking {
  const { view, frame: wanted, setFrame, chosen, choose, step, leading } = useDesk();
  const frames = useMemo(() => framesOf(view, leading.flatMap((id) => step(id) ?? [])), [view, leading, step]);
  const places = useMemo(() => new Map(frames.map((each, i) => [each.id, i])), [frames]);
  // the chosen number, where it is one of the frames; after a change it may be gone, and the place remains
  const own = chosen !== null && step(chosen) ? places.get(chosen) : undefined;
  const at = own ?? Math.max(0, Math.min(frames.length - 1, wanted));
  const frame = frames[at]!;
  const found = (chosen !== null ? step(chosen) : undefined) ?? (frame.id !== null ? step(frame.id) : undefined);
  const go = useCallback(
    (to: number) => {
      const next = Math.max(0, Math.min(frames.length - 1, to));
      setFrame(next);
      choose(frames[next]!.id);
    },
    [frames, setFrame, choose],
  );
  const open = useCallback(
    (id: string) => {
      const place = places.get(id);
      if (place !== undefined) setFrame(place);
      choose(id);
    },
    [places, setFrame, choose],
  );
  const when = useCallback((id: string) => places.get(id) ?? 0, [places]);
  return { frames, at, frame, step: found, phase: found && found.phase !== "given" ? found.phase : frame.phase, go, open, when };
}
