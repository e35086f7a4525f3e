// Try: blanks to fill in. Python marks them; a number that follows from an earlier mistake is told apart from a new one.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Step } from "../data";
import { useDesk } from "../desk";
import { save } from "../files";
import { Maths } from "../markup";
import { set, t } from "../phrases";
import { Blank, goTo, type Mark } from "./blank";
import { blanksOf, SCOPES, type Scope } from "./scopes";
import "./try.css";

interface Verdict {
  marks: Mark[];
  summary: string[];
  ok: boolean;
}

interface Found {
  answers: { name: string; id: string; text: string; fault: string }[];
}

const NAMES: Record<string, string> = {
  all: "All numbers",
  forward: "Forward and loss",
  backward: "Backward only",
  update: "Update only",
};

export function Try() {
  const desk = useDesk();
  const { view } = desk;
  const [scope, setScope] = useState<Scope>("all");
  const { answers, setAnswers } = desk;
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [faults, setFaults] = useState<string[]>([]);
  const [who, setWho] = useState("");
  const [source, setSource] = useState({ prints: false, why: "" });
  const file = useRef<HTMLInputElement>(null);
  const groups = useMemo(() => blanksOf(view, scope), [view, scope]);
  const marks = new Map(verdict?.marks.map((mark) => [mark.id, mark]));
  const filled = Object.entries(answers).filter(([, text]) => text.trim());

  useEffect(() => {
    void desk.ask<{ prints: boolean; why: string }>("source").then((found) => found && setSource(found));
  }, [view]);
  const first = verdict?.marks.find((mark) => mark.verdict === "wrong");

  const write = (id: string, text: string) => {
    setAnswers({ ...answers, [id]: text });
    // a verdict is about what was written when it was asked for
    setVerdict((old) => old && { ...old, marks: old.marks.filter((mark) => mark.id !== id) });
  };
  const latest = useRef(answers);
  latest.current = answers;
  useEffect(() => setVerdict(null), [view]);
  const check = async () => {
    const asked = Object.fromEntries(filled);
    const found = await desk.ask<Verdict>("check", { answers: asked });
    if (!found) return;
    const unchanged = found.marks.filter((mark) => latest.current[mark.id] === asked[mark.id]); // not what was typed since
    setVerdict({ ...found, marks: unchanged });
    const wrong = found.marks.find((mark) => mark.verdict === "wrong");
    if (filled.length > 3 && wrong) document.getElementById(`try-${wrong.id}`)?.scrollIntoView({ block: "center" });
  };
  const fill = (found: Found | undefined) => {
    if (!found) return;
    setVerdict(null);
    setScope("all");
    setAnswers(Object.fromEntries(found.answers.filter((each) => each.id).map((each) => [each.id, each.text])));
    setFaults(found.answers.filter((each) => each.fault).map((each) => `${each.name}: ${each.fault}`));
  };
  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    if (chosen.size > 16 * 2 ** 20) {
      setFaults([t("{name} is too large: a file of answers has at most 16 MB", { name: chosen.name })]);
      return;
    }
    fill(await desk.ask<Found>("read", { name: chosen.name, text: await chosen.text() }));
  };
  const keep = async () => {
    const made = await desk.ask<{ name: string; type: string; text: string }>("marked", {
      answers: Object.fromEntries(filled), ...(who.trim() && { who: who.trim() }),
    });
    if (made) save(made.name, made.type, made.text);
  };
  const clear = () => {
    setAnswers({});
    setVerdict(null);
    setFaults([]);
  };

  if (!view.whole) return <p>{t("This step has too many numbers to fill in on a page. Check a file of answers with: chainrule check")}</p>;
  return (
    <form
      class="try"
      onSubmit={(event) => {
        event.preventDefault();
        void check();
      }}
    >
      <p class="lead">{t("Calculate by hand, write the numbers down as you would on paper, and have them checked. Leave blank what you skip.")}</p>
      <div class="row">
        <label>
          {t("Blanks")}{" "}
          <select value={scope} onChange={(event) => setScope(event.currentTarget.value as Scope)}>
            {SCOPES.map((each) => <option value={each}>{t(NAMES[each]!)}</option>)}
            {view.network.columns.slice(1).map((column) => (
              <option value={`layer ${column.layer}`}>{t("Layer {n}", { n: column.layer })}</option>
            ))}
          </select>
        </label>
        {source.prints && (
          <button type="button" disabled={!!source.why} title={source.why} onClick={() => void desk.ask<Found>("printed").then(fill)}>
            {t("Fill in what the source prints")}
          </button>
        )}
        <button type="button" onClick={() => file.current?.click()}>{t("Read a file of answers")}</button>
        <input ref={file} type="file" hidden aria-label={t("Read a file of answers")} accept=".toml,.txt,.csv,.tsv,.md,.markdown,.tex"
          onChange={(event) => {
            void read(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      {source.why && <p class="lead">{source.why}</p>}
      {faults.length > 0 && (
        <ul class="faults">{faults.map((each) => <li>{each}</li>)}</ul>
      )}
      <div role="status" class={verdict ? (verdict.ok ? "verdict ok" : "verdict") : "verdict none"}>
        {verdict?.summary.map((line) => <p>{line}</p>)}
        {first && <button type="button" class="quiet" onClick={() => goTo(first.id)}>{t("Go to the first mistake")}</button>}
      </div>
      <Given />
      {groups.map((group) => (
        <fieldset>
          <legend>{[group.title, group.heading].filter(Boolean).join(" · ")}</legend>
          {group.steps.map((step: Step) => (
            <Blank step={step} text={answers[step.id] ?? ""} mark={marks.get(step.id)} write={write} open={desk.choose} />
          ))}
        </fieldset>
      ))}
      <div class="row sticky">
        <button type="submit" class="primary" disabled={!filled.length}>
          {filled.length === 1 ? t("Check 1 number") : t("Check {n} numbers", { n: filled.length })}
        </button>
        <button type="button" disabled={!filled.length} onClick={clear}>{t("Clear")}</button>
      </div>
      <div class="row sheet">
        <label>
          {t("Name on the sheet")}{" "}
          <input value={who} maxLength={100} autoComplete="name" onInput={(event) => setWho(event.currentTarget.value)} />
        </label>
        <button type="button" disabled={!filled.length} onClick={() => void keep()}>{t("Save the marked sheet")}</button>
      </div>
    </form>
  );
}

/** Given numbers, to calculate with. */
function Given() {
  const { view } = useDesk();
  const given = view.steps.filter((step) => step.phase === "given" && !step.uses.length);
  return (
    <details class="given" open>
      <summary>{t("Given")}</summary>
      <ul>{given.map((step) => <li><Maths tree={step.label} /> = {set(step.shown)}</li>)}</ul>
    </details>
  );
}
