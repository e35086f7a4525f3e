// Walk: number after number through forward, loss, backward and update.

import { useEffect } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../phrases";
import { Causes } from "./causes";
import { Controls } from "./controls";
import { useWalk } from "./frames";
import { Here } from "./here";
import { AllNumbers } from "./numbers";
import { Given, Shown } from "./shown";
import "./walk.css";

export function Walk() {
  const { view, chosen, step: known, fetchStep, busy } = useDesk();
  const walk = useWalk();
  const { step } = walk;
  const listed = view.sections.length > 0; // all numbers are here; of a larger network they are brought when they are opened
  const missing = !listed && chosen !== null && !known(chosen);
  useEffect(() => {
    if (missing) void fetchStep(chosen, true);
  }, [view]);
  return (
    <div class="walk">
      {!listed && <AllNumbers walk={walk} />}
      {walk.frames.length > 1 && <Controls walk={walk} />}
      {step ? <Shown walk={walk} step={step} /> : missing && busy ? <p class="soft">{t("This number is being brought.")}</p> : <Given walk={walk} />}
      <p class="sr" aria-live="polite" data-live>
        {step ? `${step.name} = ${step.shown}. ${step.because}` : t("All that is given.")}
      </p>
      {step && <Causes walk={walk} step={step} />}
      {step && <Here walk={walk} step={step} />}
      {listed && <AllNumbers walk={walk} />}
    </div>
  );
}
