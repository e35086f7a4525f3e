// One blank: the number's name, a field, hints on request, and the verdict beside it.

import { useState } from "preact/hooks";
import type { Step, Tree } from "../data";
import { Maths, type Open } from "../markup";
import { t } from "../phrases";

/** What Python says of a number that was filled in. */
export interface Mark {
  id: string;
  given: string;
  verdict: string;
  sign: string;
  details: string[];
  shown: string;
}

const WORDS: Record<string, string> = {
  right: "right",
  right_truncated: "right, truncated",
  last_digit: "right up to the last digit",
  carried_forward: "follows from an earlier number of yours",
  wrong: "wrong",
  unreadable: "cannot be read",
  unknown_name: "unknown",
};

/** The hints, one after the other: why, the formula in names, the formula in numbers. Never the number itself. */
function hintsOf(step: Step): (string | Tree[])[] {
  const [names, numbers] = step.sides;
  return [step.because, ...(names && step.uses.length ? [names] : []), ...(step.sides.length > 2 && numbers ? [numbers] : [])];
}

/** To the blank of a number, where it has one. */
export function goTo(id: string): void {
  document.getElementById(`try-${id}`)?.focus();
}

interface Props {
  step: Step;
  text: string;
  mark: Mark | undefined;
  write(id: string, text: string): void;
  open: Open;
}

export function Blank({ step, text, mark, write, open }: Props) {
  const [shown, setShown] = useState(0);
  const hints = hintsOf(step);
  const field = `try-${step.id}`;
  const about = `${field}-verdict`;
  return (
    <div class={mark ? `blank ${mark.verdict.replace("_", "-")}` : "blank"}>
      <label for={field}>
        <Maths tree={step.label} />
        <span class="unseen">{step.name}</span>
      </label>
      <input
        id={field}
        value={text}
        inputMode="decimal"
        autoComplete="off"
        spellcheck={false}
        aria-describedby={about}
        aria-invalid={mark?.verdict === "wrong" || mark?.verdict === "unreadable"}
        onInput={(event) => write(step.id, event.currentTarget.value)}
        onFocus={() => open(step.id)}
      />
      <button type="button" class="hint" disabled={shown >= hints.length} onClick={() => setShown(shown + 1)} aria-label={t("Hint for {name}", { name: step.name })}>
        {shown && shown < hints.length ? t("More") : t("Hint")}
      </button>
      <div id={about} class="said">
        {mark && (
          <p class="word">
            <span class="sign" aria-hidden="true">{mark.sign}</span> {t(WORDS[mark.verdict] ?? "wrong")}
            {mark.verdict === "wrong" && mark.shown && <span class="exact">{t("exact: {value}", { value: mark.shown })}</span>}
          </p>
        )}
        {mark?.details.map((line) => <p>{line}</p>)}
        {hints.slice(0, shown).map((hint) => (
          <p class="told">
            {typeof hint === "string" ? hint : hint.map((line, i) => <Maths tree={["mrow", ...(i ? [] : [step.label, ["mo", "="] as Tree]), line]} open={goTo} />)}
          </p>
        ))}
      </div>
    </div>
  );
}
