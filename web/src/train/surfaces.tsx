// What the network gives all over the plane of its two inputs: the outputs with the points, and each hidden unit, small.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../phrases";
import { borders, contour, paintClasses, paintLevels, unpacked } from "./paint";
import type { State, Surface, Surfaces as Found, There } from "./shapes";

const NEAR = 2.5; // so near to a point, in parts of 100, a click means the point
const STEP = 2; // so far an arrow key goes

/** The surfaces of the step that is looked at; while training goes on, of where it stands. */
export function Surfaces({ state }: { state: State | null }) {
  const { view, server } = useDesk();
  const [found, setFound] = useState<Found | null>(null);
  const [failed, setFailed] = useState("");
  const [shown, setShown] = useState("");
  const asked = useRef(false);
  const running = state?.running ?? false;
  const moment = running ? state!.number : `${view.version} ${view.after} ${view.sample}`;

  useEffect(() => {
    if (!server || asked.current) return; // the next moment asks again
    asked.current = true;
    server
      .ask<Found>("surface", { now: running, units: true })
      .then((answer) => (setFound(answer), setFailed("")))
      .catch((error: Error) => setFailed(error.message))
      .finally(() => (asked.current = false));
  }, [server, moment, running]);

  if (failed) return <p class="told">{failed}</p>;
  if (!found) return null;
  const choices = [...(found.winner && found.kind === "classes" ? [t("Class with the largest output")] : []), ...found.outputs.map((each) => each.name)];
  const choice = choices.includes(shown) ? shown : choices[0]!;
  const output = found.outputs.find((each) => each.name === choice);
  return (
    <section class="surfaces" aria-label={t("Surfaces")}>
      <div class="whole">
      <h2>{t("What the network gives where")}</h2>
      {choices.length > 1 && (
        <label>
          {t("Show")}{" "}
          <select value={choice} onChange={(event) => setShown(event.currentTarget.value)}>
            {choices.map((name) => <option value={name}>{name}</option>)}
          </select>
        </label>
      )}
      <Plane found={found} output={output} />
      <Legend found={found} output={output} />
      </div>
      <div>
        <Hidden found={found} />
      </div>
    </section>
  );
}

function Plane({ found, output }: { found: Found; output: Surface | undefined }) {
  const { view, look, choose, ask } = useDesk();
  const [across, up] = found.axes;
  const side = found.resolution;
  const levels = useMemo(() => unpacked(output ? output.levels : found.winner!), [found, output]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<[number, number]>([50, 50]);
  const [there, setThere] = useState<There | null>(null);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (canvas.current) (output ? paintLevels : paintClasses)(canvas.current, levels, side);
  }, [levels, output, side]);
  useEffect(() => setThere(null), [view]);

  const line = useMemo(() => {
    if (!output) return borders(levels, side);
    return found.kind === "classes" ? contour(levels, side, (255 * (0.5 - output.least)) / (output.most - output.least)) : "";
  }, [levels, output, side, found.kind]);
  const place = (x: number, y: number): [number, number] => [
    (100 * (x - across.least)) / (across.most - across.least),
    (100 * (up.most - y)) / (up.most - up.least),
  ];
  const dots = useMemo(() => found.points.map(([x, y, mark, sample]) => ({ at: place(x, y), mark, sample })), [found]);

  const pick = async (spot: [number, number]) => {
    setAt(spot);
    const distance = (dot: { at: [number, number] }) => Math.hypot(dot.at[0] - spot[0], dot.at[1] - spot[1]);
    const nearest = dots.filter((dot) => dot.sample > 0).sort((a, b) => distance(a) - distance(b))[0];
    if (nearest && distance(nearest) <= NEAR) {
      setThere(null);
      if (nearest.sample !== view.sample) await look({ sample: nearest.sample });
      choose(output ? cellOf(output, nearest.sample, view.samples) : null);
      return;
    }
    const x = across.least + (spot[0] / 100) * (across.most - across.least);
    const y = up.most - (spot[1] / 100) * (up.most - up.least);
    setThere((await ask<There>("there", { x: [x, y] })) ?? null);
  };
  const pressed = (event: KeyboardEvent) => {
    const by = { ArrowRight: [STEP, 0], ArrowLeft: [-STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key !== "Enter" && event.key !== " " && !by) return;
    event.preventDefault();
    if (by) setAt(([a, b]) => [Math.max(0, Math.min(100, a + by[0]!)), Math.max(0, Math.min(100, b + by[1]!))]);
    else void pick(at);
  };
  const clicked = (event: MouseEvent & { currentTarget: HTMLElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    void pick([(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height]);
  };

  return (
    <>
      <div class="plane">
        <span class="up">
          <span>{up.shown[1]}</span> <span class="name">{up.name}</span> <span>{up.shown[0]}</span>
        </span>
        <div
          class="field"
          role="application"
          tabIndex={0}
          aria-label={t("Plane of {across} and {up}: arrow keys move a cross, Enter says what the network gives there", { across: across.name, up: up.name })}
          onKeyDown={pressed}
          onClick={clicked}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          <canvas ref={canvas} aria-hidden="true" />
          <svg viewBox="0 0 100 100" aria-hidden="true">
            <path class="boundary" d={line} />
            {dots.map((dot) => <path class={dot.sample === view.sample ? "mark here" : "mark"} fill={fill(found, dot.mark)} d={shape(found.kind === "classes" ? dot.mark : 0, dot.at)} />)}
            {dots.filter((dot) => dot.sample === view.sample).map((dot) => <circle class="ring" cx={dot.at[0]} cy={dot.at[1]} r="2.6" />)}
            {(held || there) && <path class="cross" d={`M${at[0] - 3} ${at[1]}h6M${at[0]} ${at[1] - 3}v6`} />}
          </svg>
        </div>
        <span class="across">
          <span>{across.shown[0]}</span> <span class="name">{across.name}</span> <span>{across.shown[1]}</span>
        </span>
      </div>
      <p role="status" class="there">
        {there &&
          t("At {place}: {outputs}{class}", {
            place: there.inputs.map((each) => `${each.name} = ${each.shown}`).join(", "),
            outputs: there.outputs.map((each) => `${each.name} = ${each.shown}`).join(", "),
            class: there.class && ` - ${t("class {name}", { name: there.class })}`,
          })}
      </p>
    </>
  );
}

/** The id of a unit's output for a sample. */
function cellOf(unit: Surface, sample: number, samples: number): string {
  return `a[${unit.layer}][${unit.unit}]${samples > 1 ? `@${sample}` : ""}`;
}

const COLOURS = ["#12427e", "#8f3d05", "#1d6b2c", "#6b2d86", "#6e5b00", "#0d6469", "#94243c", "#444444"];

function fill(found: Found, mark: number): string {
  return found.kind === "classes" ? COLOURS[mark % COLOURS.length]! : "#222222";
}

/** A point: each class has a shape of its own. */
function shape(mark: number, [x, y]: [number, number]): string {
  const at = (...pairs: [number, number][]) => `M${pairs.map(([a, b]) => `${(x + a).toFixed(2)} ${(y + b).toFixed(2)}`).join("L")}Z`;
  const round = `M${(x - 1.1).toFixed(2)} ${y.toFixed(2)}a1.1 1.1 0 1 0 2.2 0a1.1 1.1 0 1 0 -2.2 0Z`;
  const shapes = [
    () => round,
    () => at([0, -1.5], [1.4, 1], [-1.4, 1]),
    () => at([-1.1, -1.1], [1.1, -1.1], [1.1, 1.1], [-1.1, 1.1]),
    () => at([0, -1.6], [1.6, 0], [0, 1.6], [-1.6, 0]),
    () => at([0, 1.5], [1.4, -1], [-1.4, -1]),
    () => at([-0.5, -1.5], [0.5, -1.5], [0.5, 1.5], [-0.5, 1.5]),
    () => at([-1.5, -0.5], [1.5, -0.5], [1.5, 0.5], [-1.5, 0.5]),
    () => at([-1.5, 0], [-0.5, -1.4], [0.5, -1.4], [1.5, 0], [0.5, 1.4], [-0.5, 1.4]),
  ];
  return shapes[mark % shapes.length]!();
}

function Legend({ found, output }: { found: Found; output: Surface | undefined }) {
  return (
    <div class="legend">
      {output && (
        <span class="ramp">
          {output.least.toPrecision(3)} <span class="colours" aria-hidden="true" /> {output.most.toPrecision(3)}
        </span>
      )}
      {found.classes.map((name, mark) => (
        <span>
          <svg viewBox="-2 -2 4 4" width="14" height="14" aria-hidden="true"><path class="mark" fill={fill(found, mark)} d={shape(mark, [0, 0])} /></svg> {t("class {name}", { name })}
        </span>
      ))}
      {found.all > found.points.length && <span>{t("{shown} of {all} points are drawn", { shown: found.points.length, all: found.all.toLocaleString("en") })}</span>}
    </div>
  );
}

/** The hidden units' surfaces, layer by layer; each opens its number. */
function Hidden({ found }: { found: Found }) {
  const layers = [...new Set(found.units.map((each) => each.layer))];
  return (
    <>
      {layers.map((layer) => (
        <>
          <h3>{t("Units of hidden layer {n}", { n: layer })}</h3>
          <div class="units">
            {found.units.filter((each) => each.layer === layer).map((each) => <Small key={`${layer} ${each.unit}`} surface={each} side={found.resolution} />)}
          </div>
        </>
      ))}
    </>
  );
}

function Small({ surface, side }: { surface: Surface; side: number }) {
  const { view, choose, chosen } = useDesk();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) paintLevels(canvas.current, unpacked(surface.levels), side);
  }, [surface, side]);
  const id = cellOf(surface, view.sample, view.samples);
  return (
    <button type="button" class="thumb" aria-pressed={chosen === id} onClick={() => choose(id)}>
      <canvas ref={canvas} aria-hidden="true" />
      {surface.name}
    </button>
  );
}
