// Larger networks: a strip for each layer says how its numbers are spread; its units and its largest weights come on request.

import { useEffect, useState } from "preact/hooks";
import type { Column, Edge, Spread, Unit } from "../data";
import { useDesk } from "../desk";
import { set, t } from "../phrases";
import { useWalk } from "../walk/frames";
import { layerName } from "./network";
import "./strips.css";

type Kind = "units" | "weight" | "gradient";

const PAGE = 24;

export function Strips() {
  const { view } = useDesk();
  const { step, open } = useWalk();
  const { columns, loss } = view.network;
  const layers = columns.length - 1;
  const lit = step ? Number(/^[a-z](\d+)/.exec(step.spot)?.[1] ?? -1) : -1;
  return (
    <div class="strips">
      <p class="soft">{t("{n} weights and biases: each layer is a strip that says how its numbers are spread.", { n: view.network.parameters.toLocaleString("en") })}</p>
      {columns.map((column) => (
        <Strip key={column.layer} column={column} name={layerName(column.layer, layers)} lit={column.layer === lit} />
      ))}
      {loss && (
        <p class="loss-line">
          <button onClick={() => open(loss.number.id)}>{t("loss")} <strong>{loss.number.shown}</strong></button>
        </p>
      )}
    </div>
  );
}

function Strip({ column, name, lit }: { column: Column; name: string; lit: boolean }) {
  const { server } = useDesk();
  const [kind, setKind] = useState<Kind | null>(null);
  const titles: Record<string, string> = {
    outputs: column.layer ? t("outputs") : t("inputs"), W: t("weights"), "dE/dW": t("gradients"), b: t("biases"), "dE/db": t("bias gradients"),
  };
  const spreads = Object.entries(column.spread ?? {}).filter(([symbol]) => ["outputs", "W", "dE/dW"].includes(symbol));
  const kinds: [Kind, string][] = [["units", t("Units")]];
  if (column.spread?.W) kinds.push(["weight", t("Largest weights")]);
  if (column.spread?.["dE/dW"]) kinds.push(["gradient", t("Largest gradients")]);
  return (
    <section class={`strip ${lit ? "lit" : ""}`} aria-label={name}>
      <div class="strip-name">
        <h2>{name}</h2>
        <p class="soft">{[t("{n} units", { n: column.size }), column.rule].filter(Boolean).join(" · ")}</p>
      </div>
      <div class="histograms">
        {spreads.map(([symbol, spread]) => (
          <Histogram key={symbol} title={titles[symbol] ?? symbol} spread={spread} />
        ))}
      </div>
      {server && (
        <div class="strip-asks">
          {kinds.map(([each, title]) => (
            <button aria-expanded={kind === each} onClick={() => setKind(kind === each ? null : each)}>{title}</button>
          ))}
        </div>
      )}
      {kind === "units" && <Units layer={column.layer} size={column.size} />}
      {(kind === "weight" || kind === "gradient") && <Largest key={kind} layer={column.layer} by={kind} />}
    </section>
  );
}

function Histogram({ title, spread }: { title: string; spread: Spread }) {
  const tallest = Math.max(1, ...spread.bins);
  const wide = 168 / Math.max(1, spread.bins.length);
  const { least, mean, most } = spread.told ?? { least: "", mean: "", most: "" };
  return (
    <figure class="histogram">
      <figcaption><span>{title}</span> <span>{t("mean {value}", { value: set(mean) })}</span></figcaption>
      <svg viewBox="0 0 168 40" role="img" aria-label={t("{title}: from {least} to {most}, mean {mean}", { title, least, mean, most })}>
        {spread.bins.map((count, i) => {
          const height = count ? Math.max(1, (36 * count) / tallest) : 0;
          return <rect x={i * wide + 0.5} y={39 - height} width={Math.max(1, wide - 1)} height={height} />;
        })}
        <line x1="0" y1="39.5" x2="168" y2="39.5" />
        {spread.least !== undefined && spread.least < 0 && spread.most! > 0 && (
          <line class="zero" x1={(-168 * spread.least) / (spread.most! - spread.least)} x2={(-168 * spread.least) / (spread.most! - spread.least)} y1="0" y2="40" />
        )}
      </svg>
      <p aria-hidden="true"><span>{set(least)}</span><span>{set(most)}</span></p>
    </figure>
  );
}

/** A layer's units, page by page. */
function Units({ layer, size }: { layer: number; size: number }) {
  const { ask, view } = useDesk();
  const { open, step } = useWalk();
  const [first, setFirst] = useState(0);
  const [units, setUnits] = useState<Unit[]>([]);
  useEffect(() => {
    let current = true;
    void ask<{ units: Unit[] }>("units", { layer, first, count: PAGE }).then((found) => found && current && setUnits(found.units));
    return () => void (current = false);
  }, [layer, first, view, ask]);
  return (
    <div class="asked">
      <ul class="chips">
        {units.map((unit) => (
          <li>
            <button onClick={() => open(unit.id)} aria-pressed={step?.id === unit.id}>
              <span>{unit.unit}</span> {set(unit.shown)}
            </button>
          </li>
        ))}
      </ul>
      {size > PAGE && (
        <p class="pages">
          <button disabled={first === 0} onClick={() => setFirst(Math.max(0, first - PAGE))}>{t("Before")}</button>
          <span>{t("{first} to {last} of {all}", { first: first + 1, last: Math.min(size, first + PAGE), all: size })}</span>
          <button disabled={first + PAGE >= size} onClick={() => setFirst(first + PAGE)}>{t("Next")}</button>
        </p>
      )}
    </div>
  );
}

/** A layer's largest weights, or those with the largest gradients. */
function Largest({ layer, by }: { layer: number; by: "weight" | "gradient" }) {
  const { ask, view } = useDesk();
  const { open, step } = useWalk();
  const [edges, setEdges] = useState<Edge[]>([]);
  useEffect(() => {
    let current = true;
    void ask<{ edges: Edge[] }>("largest", { layer, by, count: PAGE }).then((found) => found && current && setEdges(found.edges));
    return () => void (current = false);
  }, [layer, by, view, ask]);
  return (
    <div class="asked wide" tabIndex={0} role="group" aria-label={by === "weight" ? t("Largest weights") : t("Largest gradients")}>
      <table class="weights">
        <thead>
          <tr><th scope="col">{t("weight")}</th><th scope="col">{t("value")}</th><th scope="col">{t("gradient")}</th><th scope="col">{t("new value")}</th></tr>
        </thead>
        <tbody>
          {edges.map((edge) => (
            <tr class={step?.spot === edge.key ? "now" : ""}>
              <th scope="row">{edge.name}</th>
              {(["weight", "gradient", "new"] as const).map((kind) => {
                const number = edge.numbers[kind];
                if (!number) return <td />;
                return <td><button class="quiet" onClick={() => open(number.id)} aria-label={`${number.name}: ${number.shown}`}>{set(number.shown)}</button></td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
