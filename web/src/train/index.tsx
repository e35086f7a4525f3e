// Train: updates or until a loss, the curve of the loss with a cursor that brings any step back, and surfaces.

import { useEffect, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { Equation } from "../markup";
import { t } from "../phrases";
import type { Problem } from "../server";
import { Causes } from "../walk/causes";
import { Curve, type Line } from "./curve";
import { Data } from "./data";
import { Replayed } from "./replayed";
import type { Run, State } from "./shapes";
import { Surfaces } from "./surfaces";
import { useTraining } from "./training";
import "./train.css";

export function Train() {
  const { now } = useTraining();
  const { state, run } = now;
  return (
    <div class="train">
      <Lost problems={now.problems} />
      {run ? <p class="lead">{t("A recorded run: each of its updates is replayed when you go to it.")}</p> : <Controls state={state} />}
      <Looked state={state} run={run} />
      <Opened />
      {state && <Data />}
    </div>
  );
}

/** What stands below the network: surfaces, or what a recorded run says of its update. */
export function BelowTrain() {
  const { view } = useDesk();
  const { state, run } = useTraining().now;
  return (
    <div class="train">
      {view.network.inputs === 2 && (state || run) && <Surfaces state={state} />}
      {run && <Replayed />}
    </div>
  );
}

function Lost({ problems }: { problems: Problem[] }) {
  return problems.length ? <p role="alert">{problems.map((each) => each.what).join(" ")}</p> : null;
}

/** How far to train; run, stop, back to the beginning; and how it goes, in words. */
function Controls({ state }: { state: State | null }) {
  const { view, server, ask, change, look } = useDesk();
  const { training } = useTraining();
  const [until, setUntil] = useState(false);
  const [updates, setUpdates] = useState("1000");
  const [loss, setLoss] = useState("0.01");
  const [ended, setEnded] = useState(0);
  const running = state?.running ?? false;

  useEffect(() => {
    // when training has ended, its last step is looked at
    if (!state || running || !state.ended || ended === 0) return;
    setEnded(0);
    if (state.number !== view.after) void look({ after: state.number });
  }, [state, running]);

  const start = async () => {
    const body = until ? { until: Number(loss) } : { updates: Number(updates) };
    const found = await ask<State>("train", { version: view.version, ...body });
    if (!found) return;
    setEnded(1);
    training.take({ ...found, running: true, again: true });
    void training.follow();
  };
  const stop = async () => {
    const found = await ask<State>("stop");
    if (found) training.take({ ...found, again: true });
  };
  const reset = async () => {
    if (!(await change("reset"))) return;
    await look({});
    await training.refresh();
  };
  return (
    <form
      class="controls"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <fieldset disabled={running}>
        <legend>{t("Train")}</legend>
        <label>
          <input type="radio" name="far" checked={!until} onChange={() => setUntil(false)} />{" "}
          <input type="number" min="1" max="100000000" step="1" required={!until} value={updates} aria-label={t("Number of updates")}
            onFocus={() => setUntil(false)} onInput={(event) => setUpdates(event.currentTarget.value)}
          />{" "}
          {t("updates")}
        </label>
        <label>
          <input type="radio" name="far" checked={until} onChange={() => setUntil(true)} /> {t("until the loss is")}{" "}
          <input type="number" min="0" step="any" required={until} value={loss} aria-label={t("Loss to reach")}
            onFocus={() => setUntil(true)} onInput={(event) => setLoss(event.currentTarget.value)}
          />
        </label>
      </fieldset>
      <div class="row">
        <button class="primary" disabled={running || !server}>{t("Train")}</button>
        <button type="button" disabled={!running} onClick={() => void stop()}>{t("Stop")}</button>
        <button type="button" disabled={running || !state?.number} onClick={() => void reset()}>{t("Back to the beginning")}</button>
      </div>
      <p class="going">
        {state && state.number > 0 && t(state.number === 1 ? "1 update done, loss {loss}, learning rate {rate}" : "{n} updates done, loss {loss}, learning rate {rate}", { n: state.number.toLocaleString("en"), loss: state.shown, rate: state.rate })}
      </p>
      <p role="status" class={state && ["not finite", "failed", "refused"].includes(state.ended) ? "told bad" : "told"}>
        {running ? t("Training goes on.") : (state?.told ?? "")}
      </p>
    </form>
  );
}

/** The curve, the step that is looked at, and its loss; with all digits if they are asked for. */
function Looked({ state, run }: { state: State | null; run: Run | null }) {
  const { view, look, server } = useDesk();
  const [log, setLog] = useState(false);
  const first = run ? 1 : 0;
  const most = run ? Math.max(run.steps, 1) : Math.max(state?.number ?? 0, view.after ?? 0);
  const at = (view.after ?? 0) + first;
  const lines: Line[] = run
    ? [{ name: t("training rows"), points: run.curves.loss }, ...(run.curves.validation.length ? [{ name: t("validation rows"), points: run.curves.validation }] : [])]
    : [{ name: t("loss"), points: state?.points ?? [] }];
  const go = (to: number) => void look({ after: to - first });
  const said = run ? t("update {n} of {all}", { n: at.toLocaleString("en"), all: most.toLocaleString("en") }) : t(at === 1 ? "after 1 update, loss {loss}" : "after {n} updates, loss {loss}", { n: at.toLocaleString("en"), loss: view.network.loss?.number.shown ?? "" });
  if (!server || (!run && !state)) return null;
  return (
    <section class="looked" aria-label={t("Loss")}>
      <div class="row head">
        <h2>{t("Loss")}</h2>
        <label><input type="checkbox" checked={log} onChange={(event) => setLog(event.currentTarget.checked)} /> {t("logarithmic scale")}</label>
      </div>
      <Curve lines={lines} first={first} most={most} at={at} log={log} said={said} go={go} />
      <Place at={at} first={first} most={most} go={go} run={run !== null} />
    </section>
  );
}

interface PlaceProps {
  at: number;
  first: number;
  most: number;
  run: boolean;
  go(at: number): void;
}

function Place({ at, first, most, go, run }: PlaceProps) {
  const { view, ask } = useDesk();
  const [text, setText] = useState(String(at));
  const [exact, setExact] = useState<{ before: string; after: string; number: number } | null>(null);
  useEffect(() => {
    setText(String(at));
    setExact(null);
  }, [at, view]);
  return (
    <form
      class="place"
      onSubmit={(event) => {
        event.preventDefault();
        go(Number(text));
      }}
    >
      <div class="row">
        <label>
          {run ? t("Update") : t("Step after")}{" "}
          <input type="number" min={first} max={Math.max(most, first)} step="1" required value={text} onInput={(event) => setText(event.currentTarget.value)} />{" "}
          {run ? t("of {all}", { all: most.toLocaleString("en") }) : t("updates")}
        </label>
        <button>{t("Go there")}</button>
      </div>
      <p>
        {t("Loss of this step, before its update:")} <strong>{exact?.before ?? view.network.loss?.number.shown}</strong>
        {exact && <>; {t("after it:")} <strong>{exact.after}</strong></>}{" "}
        {!exact && <button type="button" class="quiet" onClick={() => void ask<{ before: string; after: string; number: number }>("exact").then((found) => found && setExact(found))}>{t("All digits")}</button>}
      </p>
      {view.place && <p class="soft">{t("Sample {n} is {place}.", { n: view.sample, place: view.place })}</p>}
    </form>
  );
}

/** The number that is chosen, with its equation. */
function Opened() {
  const { chosen, step, choose } = useDesk();
  const found = chosen === null ? undefined : step(chosen);
  if (!found) return null;
  return (
    <section class="opened" aria-label={t("The number that is opened")}>
      <h2>{found.name} = {found.shown}</h2>
      <p role="status">{found.because}</p>
      <div class="wide"><Equation step={found} open={choose} /></div>
      <Causes walk={{ open: choose }} step={found} />
    </section>
  );
}
