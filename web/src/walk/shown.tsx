// The number that is shown: its name, why it is computed so, its equation, its value.

import { useMemo } from "preact/hooks";
import type { Step } from "../data";
import { useDesk } from "../desk";
import { Equation, Maths, Wide } from "../markup";
import { set, t } from "../phrases";
import { phaseName, type Walking } from "./frames";

export function Shown({ walk, step }: { walk: Walking; step: Step }) {
  const { before } = useDesk();
  const old = useMemo(() => before?.steps.find((each) => each.id === step.id), [before, step.id]);
  const at = walk.frames[walk.when(step.id)];
  const where = [phaseName(step.phase), step.phase === "given" ? "" : at?.part, step.sample ? t("sample {n}", { n: step.sample }) : ""];
  return (
    <article class="shown" data-cell={step.id}>
      <p class="where">{where.filter(Boolean).join(" · ")}</p>
      <h2><Maths tree={step.label} name={step.name} /> <span class="equals">=</span> <output class="value">{set(step.shown)}</output></h2>
      {old && old.shown !== step.shown && (
        <p class="was">{t("before the change: {value}", { value: set(old.shown) })}</p>
      )}
      <p class="because">{step.because || t("Given.")}</p>
      {step.uses.length > 0 && <Wide label={t("Equation")}><Equation step={step} open={walk.open} /></Wide>}
      <details class="exact">
        <summary>{t("Every digit")}</summary>
        <dl>
          <dt>{t("value")}</dt>
          <dd class="full">{String(step.value)}</dd>
          <dt>{t("name")}</dt>
          <dd>{step.name}</dd>
          <dt>{t("id")}</dt>
          <dd>{step.id}</dd>
          {step.formula !== step.shown && <><dt>{t("formula")}</dt><dd>{step.formula}</dd></>}
          {step.substituted !== step.formula && <><dt>{t("in numbers")}</dt><dd>{step.substituted}</dd></>}
        </dl>
      </details>
    </article>
  );
}

/** What kind of given number it is, in words. */
function kindOf(step: Step): string {
  const symbol = step.array.split("|")[0]!;
  const known: Record<string, string> = { x: t("Inputs"), t: t("Targets"), W: t("Weights"), b: t("Biases") };
  return known[symbol] ?? (step.because || t("Constants of the rules"));
}

/** The first frame: what is there before anything is computed. */
export function Given({ walk }: { walk: Walking }) {
  const { view } = useDesk();
  const given = view.steps.filter((each) => each.phase === "given" && !each.uses.length);
  const groups = new Map<string, Step[]>();
  for (const each of given) {
    const kind = kindOf(each);
    groups.set(kind, [...(groups.get(kind) ?? []), each]);
  }
  return (
    <article class="shown">
      <p class="where">{t("Given")}</p>
      <h2>{t("What is there at the start")}</h2>
      <p class="because">
        {view.sections.length > 0
          ? t("Step forward to compute with these numbers, one after the other. Any number in the drawing can be opened.")
          : t("This network is too large to walk through number by number. Open a unit or a weight of a layer, or say a name: what leads to it is shown.")}
      </p>
      {[...groups].map(([kind, steps]) => (
        <section class="group">
          <h3>{kind}</h3>
          <ul class="chips">
            {steps.slice(0, 60).map((each) => (
              <li><button onClick={() => walk.open(each.id)}><Maths tree={each.label} name={each.name} /> {set(each.shown)}</button></li>
            ))}
          </ul>
        </section>
      ))}
    </article>
  );
}
