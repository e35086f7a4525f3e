// Walk: number after number through forward, loss, backward and update.

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
  const { chosen } = useDesk();
  const walk = useWalk();
  const { step, frame } = walk;
  return (
    <div class="walk">
      {walk.frames.length > 1 ? <Controls walk={walk} /> : <AllNumbers walk={walk} />}
      {step ? <Shown walk={walk} step={step} /> : chosen || frame.id ? <p class="soft">{t("This number is being brought.")}</p> : <Given walk={walk} />}
      <p class="sr" aria-live="polite" data-live>
        {step ? `${step.name} = ${step.shown}. ${step.because}` : t("All that is given.")}
      </p>
      {step && <Causes walk={walk} step={step} />}
      {step && <Here walk={walk} step={step} />}
      {walk.frames.length > 1 && <AllNumbers walk={walk} />}
    </div>
  );
}
