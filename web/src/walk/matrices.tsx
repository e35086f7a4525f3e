// The matrix form of the layer and phase that Walk stands in, beside the scalar form.

import { useDesk } from "../desk";
import { Maths, Wide } from "../markup";
import { t } from "../phrases";
import { layerName } from "../network/network";
import { PHASES, phaseName, useWalk } from "./frames";

/** The whole step, array by array, before it begins. */
function Overview() {
  const { view } = useDesk();
  return (
    <section class="matrices" aria-labelledby="matrices">
      <h2 id="matrices">{t("The step at a glance")}</h2>
      <div class="glance">
        {PHASES.map((phase) => {
          const equations = view.matrices.filter((each) => each.phase === phase);
          if (!equations.length) return null;
          return (
            <div>
              <h3>{phaseName(phase)}</h3>
              {equations.map((each) => (
                <Wide>
                  <Maths tree={["mrow", each.name, ["mo", "="], each.formula]} block />
                  {each.told && <p class="soft aside">{each.told}</p>}
                </Wide>
              ))}
            </div>
          );
        })}
      </div>
      <Note />
    </section>
  );
}

function Note() {
  return <p class="soft note">{t("A row is a sample. ⊙, fractions and functions work element by element; ⊤ swaps rows and columns.")}</p>;
}

export function Matrices() {
  const { view, step: known } = useDesk();
  const arrayOf = (id: string | null) => (id === null ? "" : (known(id)?.array ?? ""));
  const { step, phase, frames, at } = useWalk();
  if (!view.matrices.length) return null;
  if (phase === "given") return <Overview />;
  // a number without an equation of arrays, as a factor of a chain, belongs to the next number that has one
  const arrays = new Set(view.matrices.filter((each) => each.phase === phase).map((each) => each.array));
  const next = step && frames[at]?.id === step.id ? frames.slice(at).find((each) => each.phase === phase && arrays.has(arrayOf(each.id))) : undefined;
  const array = step && !arrays.has(step.array) && next ? arrayOf(next.id) : step?.array;
  const own = view.matrices.find((each) => each.array === array);
  const layer = own?.layer ?? array?.split("|")[1] ?? "0";
  const inPhase = view.matrices.filter((each) => each.phase === phase);
  const shown = inPhase.filter((each) => each.layer === layer);
  const equations = shown.length ? shown : inPhase;
  if (!equations.length) return null;
  const where = equations[0]!.layer === "0" ? "" : layerName(Number(equations[0]!.layer), view.network.columns.length - 1);
  return (
    <section class="matrices" aria-labelledby="matrices">
      <h2 id="matrices">{t("The same with matrices")} <span class="soft">{[phaseName(phase), where].filter(Boolean).join(" · ")}</span></h2>
      <Wide label={t("Equations of matrices")}>
        {equations.map((each) => (
          <div class={each.array === array ? "matrix now" : "matrix"} key={each.array + JSON.stringify(each.name)}>
            {each.told && <p class="soft aside">{each.told}</p>}
            {each.sample && <p class="soft aside">{t("one matrix for each sample; shown: sample {n}", { n: each.sample })}</p>}
            <Maths tree={["mrow", each.name, ["mo", "="], each.formula]} block />
            <Maths tree={["mrow", ["mo", "="], ...(each.numbers ? [each.numbers, ["mo", "="] as ["mo", string]] : []), each.value]} block />
          </div>
        ))}
      </Wide>
      <Note />
    </section>
  );
}
