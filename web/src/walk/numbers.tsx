// All numbers of the step, phase by phase; any is found by its name or id.

import { useMemo, useState } from "preact/hooks";
import type { Step } from "../data";
import { useDesk } from "../desk";
import { set, t } from "../phrases";
import { PHASES, phaseName, type Walking } from "./frames";

const MOST = 200; // lines of a phase

export function AllNumbers({ walk }: { walk: Walking }) {
  const { view, server } = useDesk();
  const few = view.sections.length > 0; // of a larger network nothing is listed: any number is opened by its name
  const [open, setOpen] = useState(!few);
  const [wanted, setWanted] = useState("");
  const found = useMemo(() => {
    const word = wanted.trim().toLowerCase();
    const steps = word ? view.steps.filter((each) => `${each.name} ${each.id}`.toLowerCase().includes(word)) : view.steps;
    return PHASES.map((phase): [string, Step[]] => [phaseName(phase), steps.filter((each) => each.phase === phase)]);
  }, [view, wanted]);
  const submit = (event: Event) => {
    event.preventDefault();
    const word = wanted.trim();
    const exact = view.steps.find((each) => each.name === word || each.id === word) ?? found.flatMap(([, steps]) => steps)[0];
    if (exact) walk.open(exact.id);
    else if (word && server) walk.open(word);
  };
  return (
    <details class="all" open={open} onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{few ? t("All numbers") : t("Open any number by its name")}</summary>
      <form onSubmit={submit} class="find">
        <label for="find">{t("Name or id")}</label>
        <input
          id="find" type="text" value={wanted} autocomplete="off" spellcheck={false} placeholder={few ? "dE/dw5" : "dE/dW[1][3,7]"}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <button type="submit">{t("Open")}</button>
      </form>
      {open &&
        found.map(
          ([title, steps]) =>
            steps.length > 0 && (
              <section>
                <h3>{title} <span class="soft">{steps.length}</span></h3>
                <ul class="numbers">
                  {steps.slice(0, MOST).map((each) => (
                    <li key={each.id}>
                      <button onClick={() => walk.open(each.id)} aria-current={walk.step?.id === each.id ? "true" : undefined}>
                        <span>{each.name}</span> <span class="number">{set(each.shown)}</span>
                      </button>
                    </li>
                  ))}
                </ul>
                {steps.length > MOST && <p class="soft">{t("{n} more: say a part of the name.", { n: steps.length - MOST })}</p>}
              </section>
            ),
        )}
    </details>
  );
}
