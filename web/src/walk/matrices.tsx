// The matrix form of the layer and phase that Walk stands in, beside the scalar form.

import { useDesk } from "../desk";
import { Maths } from "../markup";
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
                <div class="wide"><Maths tree={["mrow", each.name, ["mo", "="], each.formula]} block /></div>
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
  const { view } = useDesk();
  const { step, phase } = useWalk();
  if (!view.matrices.length) return null;
  if (phase === "given") return <Overview />;
  const own = view.matrices.find((each) => each.array === step?.array);
  const layer = own?.layer ?? step?.array.split("|")[1] ?? "0";
  const inPhase = view.matrices.filter((each) => each.phase === phase);
  const shown = inPhase.filter((each) => each.layer === layer);
  const equations = shown.length ? shown : inPhase;
  if (!equations.length) return null;
  const where = equations[0]!.layer === "0" ? "" : layerName(Number(equations[0]!.layer), view.network.columns.length - 1);
  return (
    <section class="matrices" aria-labelledby="matrices">
      <h2 id="matrices">{t("The same with matrices")} <span class="soft">{[phaseName(phase), where].filter(Boolean).join(" · ")}</span></h2>
      <div class="wide" tabIndex={0} role="group" aria-label={t("Equations of matrices")}>
        {equations.map((each) => (
          <div class={each.array === step?.array ? "matrix now" : "matrix"} key={each.array + JSON.stringify(each.name)}>
            {each.sample && <p class="soft aside">{t("one matrix for each sample; shown: sample {n}", { n: each.sample })}</p>}
            <Maths tree={["mrow", each.name, ["mo", "="], each.formula]} block />
            <Maths tree={["mrow", ["mo", "="], ...(each.numbers ? [each.numbers, ["mo", "="] as ["mo", string]] : []), each.value]} block />
          </div>
        ))}
      </div>
      <Note />
    </section>
  );
}
