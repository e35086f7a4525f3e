// The curve of the loss, and the cursor on it that brings any step back.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../phrases";
import type { Point } from "./shapes";

export interface Line {
  name: string;
  points: Point[];
}

const HEIGHT = 240;
const LEFT = 58;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 34;

/** From a number to its place on an axis, and the numbers that are written along it. */
interface Scale {
  at(value: number): number;
  ticks: number[];
}

function linear(least: number, most: number, from: number, to: number, parts: number): Scale {
  const span = most - least || 1;
  const step = 10 ** Math.floor(Math.log10(span / parts));
  const wide = [1, 2, 5, 10].map((by) => by * step).find((each) => span / each <= parts) ?? 10 * step;
  const ticks: number[] = [];
  for (let k = Math.ceil(least / wide - 1e-9); k * wide <= most + wide * 1e-9; k++) ticks.push(k * wide || 0);
  return { at: (value) => from + ((value - least) / span) * (to - from), ticks };
}

function logarithmic(least: number, most: number, from: number, to: number): Scale {
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const every = Math.ceil((high - low) / 6);
  const ticks: number[] = [];
  for (let k = low; k <= high; k += every) ticks.push(10 ** k);
  return { at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from), ticks };
}

/** A number along an axis. */
function written(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential().replace(/\.?0+\d{5,}e/, "e") : String(Number(value.toPrecision(6)));
}

interface Props {
  lines: Line[];
  most: number; // the last update that can be gone to
  first: number; // the first one: 0 for an example, 1 for a run
  at: number;
  log: boolean;
  said: string; // the cursor's place in words
  go(at: number): void;
}

export function Curve({ lines, most, first, at, log, said, go }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<number | null>(null);
  const [wide, setWide] = useState(560);
  useLayoutEffect(() => {
    // as wide as there is room, so that its letters stay as large as others
    const watch = new ResizeObserver(([entry]) => entry && setWide(Math.max(240, Math.round(entry.contentRect.width))));
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, []);
  const drawn = lines.map((line) => ({ ...line, points: line.points.filter(([, loss]) => !log || loss > 0) }));
  const all = drawn.flatMap((line) => line.points.map(([, loss]) => loss));
  const end = Math.max(most, 1);
  const x = linear(first, Math.max(end, first + 1), LEFT, wide - RIGHT, Math.max(2, Math.floor(wide / 90)));
  const low = all.length ? Math.min(...all) : log ? 0.1 : 0;
  const high = all.length ? Math.max(...all) : 1;
  const y = log ? logarithmic(low, high, HEIGHT - BOTTOM, TOP) : linear(Math.min(0, low), high || 1, HEIGHT - BOTTOM, TOP, 5);
  const here = held ?? at;

  const within = (number: number) => Math.max(first, Math.min(most, Math.round(number)));
  const pointed = (event: PointerEvent) => {
    const box = frame.current!.getBoundingClientRect();
    const part = ((event.clientX - box.left) / box.width) * wide;
    return within(first + ((part - LEFT) / (wide - RIGHT - LEFT)) * (Math.max(end, first + 1) - first));
  };
  const pressed = (event: KeyboardEvent) => {
    const far = Math.max(1, Math.round((most - first) / 10));
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: far, PageDown: -far }[event.key];
    const to = event.key === "Home" ? first : event.key === "End" ? most : by === undefined ? null : within(at + by);
    if (to === null) return;
    event.preventDefault();
    if (to !== at) go(to);
  };

  return (
    <div
      class="curve"
      ref={frame}
      role="slider"
      tabIndex={0}
      aria-label={t("Step that is looked at")}
      aria-valuemin={first}
      aria-valuemax={most}
      aria-valuenow={here}
      aria-valuetext={said}
      onKeyDown={pressed}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setHeld(pointed(event));
      }}
      onPointerMove={(event) => held !== null && setHeld(pointed(event))}
      onPointerUp={() => {
        if (held !== null && held !== at) go(held);
        setHeld(null);
      }}
      onPointerCancel={() => setHeld(null)}
    >
      <svg viewBox={`0 0 ${wide} ${HEIGHT}`} aria-hidden="true">
        {y.ticks.map((value) => (
          <>
            <line class="grid" x1={LEFT} x2={wide - RIGHT} y1={y.at(value)} y2={y.at(value)} />
            <text class="tick" x={LEFT - 8} y={y.at(value)} text-anchor="end" dominant-baseline="middle">{written(value)}</text>
          </>
        ))}
        {x.ticks.filter((value) => Number.isInteger(value)).map((value) => (
          <text class="tick" x={x.at(value)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">{value.toLocaleString("en")}</text>
        ))}
        <text class="tick" x={(LEFT + wide - RIGHT) / 2} y={HEIGHT - 3} text-anchor="middle">{t("updates")}</text>
        <line class="axis" x1={LEFT} x2={wide - RIGHT} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {drawn.map((line, place) => (
          <>
            <polyline class={`line line-${place}`} points={line.points.map(([n, loss]) => `${x.at(n).toFixed(1)},${y.at(loss).toFixed(1)}`).join(" ")} />
            {line.points.length < 40 && line.points.map(([n, loss]) => <circle class={`dot line-${place}`} cx={x.at(n)} cy={y.at(loss)} r={2} />)}
          </>
        ))}
        <line class="cursor" x1={x.at(here)} x2={x.at(here)} y1={TOP} y2={HEIGHT - BOTTOM} />
        <path class="handle" d={`M${x.at(here) - 6},${HEIGHT - BOTTOM + 1} h12 l-6,-9 z`} />
      </svg>
      {lines.length > 1 && (
        <p class="key" aria-hidden="true">
          {lines.map((line, place) => <span class={`line-${place}`}><svg viewBox="0 0 28 8" width="28" height="8"><line class={`line line-${place}`} x1="0" x2="28" y1="4" y2="4" /></svg> {line.name}</span>)}
        </p>
      )}
    </div>
  );
}
