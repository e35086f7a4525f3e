// Walk: number after number through forward, loss, backward and update.

import { useState } from "preact/hooks";
import { useDesk } from "../desk";
import { Equation } from "../markup";
import { t } from "../phrases";

export function Walk() {
  const { view, step, choose } = useDesk();
  const frames = view.sections.flatMap((section) =>
    section.parts.flatMap((part) =>
      part.paragraphs.flatMap((each) => each.ids.map((id) => ({ id, section: section.title, reason: each.reason }))),
    ),
  );
  const [at, setAt] = useState(0);
  const frame = frames[Math.min(at, frames.length - 1)];
  const found = frame && step(frame.id);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(frames.length - 1, to));
    setAt(next);
    choose(frames[next]!.id);
  };
  if (!frame || !found) return null;
  return (
    <>
      <div class="controls">
        <button onClick={() => go(at - 1)}>{t("Back")}</button>
        <button onClick={() => go(at + 1)}>{t("Step")}</button>
        <span>{t("{at} of {all}", { at: at + 1, all: frames.length })}</span>
      </div>
      <h2>{frame.section}</h2>
      <p>{found.because}</p>
      <Equation step={found} open={choose} />
    </>
  );
}
