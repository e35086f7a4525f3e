// Going through the step: phases and layers to jump to, step by step, a slider, and playing.

import { useEffect, useState } from "preact/hooks";
import { t } from "../phrases";
import { PHASES, phaseName, type Walking } from "./frames";

const SPEEDS: [string, number][] = [["0.5×", 4000], ["1×", 2000], ["2×", 1000], ["4×", 500]];

export function Controls({ walk }: { walk: Walking }) {
  const { frames, at, frame, go } = walk;
  const [playing, setPlaying] = useState(false);
  const [pause, setPause] = useState(2000);
  const last = frames.length - 1;

  useEffect(() => {
    if (!playing) return;
    if (at >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => go(at + 1), pause);
    return () => clearTimeout(timer);
  }, [playing, at, last, pause, go]);

  const parts = [...new Set(frames.filter((each) => each.phase === frame.phase && each.part).map((each) => each.part))];
  const keys = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setPlaying(false);
    go(to);
  };
  const play = () => {
    if (!playing && at >= last) go(0);
    setPlaying(!playing);
  };
  return (
    <div class="controls" role="group" aria-label={t("Going through the step")} onKeyDown={keys}>
      <div class="phases">
        {PHASES.map((phase) => {
          const first = frames.findIndex((each) => each.phase === phase);
          return (
            <button
              disabled={first < 0} aria-current={frame.phase === phase ? "step" : undefined}
              onClick={() => (setPlaying(false), go(first))}
            >
              {phaseName(phase)}
            </button>
          );
        })}
      </div>
      <div class="transport">
        <button class="icon" disabled={at === 0} onClick={() => (setPlaying(false), go(at - 1))} aria-label={t("Step back")}>
          <Icon path="M15 5 L6 12 L15 19 Z M5 5 V19" />
        </button>
        <button class="icon play" onClick={play} aria-label={playing ? t("Pause") : t("Play")}>
          <Icon path={playing ? "M8 5 V19 M16 5 V19" : "M7 4 L19 12 L7 20 Z"} />
        </button>
        <button class="icon" disabled={at === last} onClick={() => (setPlaying(false), go(at + 1))} aria-label={t("Step")}>
          <Icon path="M9 5 L18 12 L9 19 Z M19 5 V19" />
        </button>
        <input
          type="range" min={0} max={last} value={at} aria-label={t("Place in the step")}
          aria-valuetext={t("{at} of {all}", { at, all: last })}
          onInput={(event) => (setPlaying(false), go(Number(event.currentTarget.value)))}
        />
        <span class="place">{t("{at} of {all}", { at, all: last })}</span>
        <select aria-label={t("Speed")} onChange={(event) => setPause(Number(event.currentTarget.value))}>
          {SPEEDS.map(([name, value]) => (
            <option value={value} selected={value === pause}>{name}</option>
          ))}
        </select>
      </div>
      {parts.length > 1 && (
        <div class="parts">
          {parts.map((part) => (
            <button
              aria-current={frame.part === part ? "step" : undefined}
              onClick={() => (setPlaying(false), go(frames.findIndex((each) => each.phase === frame.phase && each.part === part)))}
            >
              {part}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <path d={path} fill="currentColor" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  );
}
