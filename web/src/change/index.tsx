// Change: numbers, rules and conventions in fields, the network's structure by buttons, and what follows beside it.

import { useCallback, useEffect, useReducer, useState } from "preact/hooks";
import type { View } from "../data";
import { useDesk, type Desk } from "../desk";
import { t } from "../phrases";
import { Compare } from "./compare";
import { edits } from "./edits";
import type { Choices, Form } from "./form";
import { Layers } from "./layers";
import { EditsContext, idOf, Labelled, NumberInput } from "./number";
import { Samples } from "./samples";
import "./change.css";

/** The form as it was last seen: it is there while nobody answers, with all that was written into it. */
let seen: Form | null = null;

export function Change() {
  const desk = useDesk();
  const [form, setForm] = useState(seen);
  const [choices, setChoices] = useState<Choices | null>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  edits.attach(() => redraw(0), desk.send);

  useEffect(() => {
    if (desk.view.recorded) return;
    let here = true;
    void desk.ask<Form>("fields").then((found) => {
      if (!found || !here) return;
      seen = found;
      setForm(found);
      edits.settled();
    });
    return () => {
      here = false;
    };
  }, [desk.view]);
  useEffect(() => {
    if (!desk.view.recorded) void desk.ask<Choices>("choices").then((found) => found && setChoices(found));
  }, [desk.view.version]);

  const act = useCallback((verb: string, body: object = {}) => void desk.attempt(() => edits.ask(verb, body)), [desk.attempt]);
  useUndo(act, desk);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (edits.count) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);

  if (desk.view.recorded) return <p>{t("This is a recorded run: what it did can be looked at, and not changed. Open an example in Keep to change it.")}</p>;
  if (!form) return <p role="status">{t("One moment")}</p>;
  const busy = edits.sending;
  const structure = (body: object) => act("structure", body);
  return (
    <EditsContext.Provider value={edits}>
      <div class="change">
        <div class="row bar" role="toolbar" aria-label={t("Taking back")}>
          <Tool may={!!desk.view.undo} keys="Control+Z" title={t("Undo (Ctrl+Z)")} act={() => act("undo")}>{t("Undo")}</Tool>
          <Tool may={!!desk.view.redo} keys="Control+Shift+Z" title={t("Redo (Ctrl+Shift+Z)")} act={() => act("redo")}>{t("Redo")}</Tool>
          <Loss view={desk.view} />
        </div>
        <div class="row first"><Tool may={form.changed} act={() => act("restore")}>{t("As it was at first")}</Tool></div>
        <Banner desk={desk} />
        {form.after > 0 && (
          <p class="note">
            {form.after === 1
              ? t("The step that is looked at comes after 1 update. The numbers here are those before it.")
              : t("The step that is looked at comes after {n} updates. The numbers here are those before the first.", { n: form.after })}{" "}
            <button type="button" disabled={desk.busy} onClick={() => void desk.look({ after: 0 })}>{t("Look at the step before the first update")}</button>
          </p>
        )}
        <Chosen form={form} />
        <Layers layers={form.layers} act={structure} busy={busy} />
        <Samples data={form.data} act={structure} busy={busy} />
        {form.groups.map((group) => (
          <fieldset key={group.name}>
            <legend>{group.title}</legend>
            <div class={`fields ${group.name}`}>{group.fields.map((field) => <Labelled key={field.path} field={field} prefix={group.name} />)}</div>
          </fieldset>
        ))}
        {choices && <Compare choices={choices} />}
      </div>
    </EditsContext.Provider>
  );
}

/** The loss, beside what it was before the last change: in sight wherever in the form that was made. */
function Loss({ view }: { view: View }) {
  const moved = view.changed?.[0]?.changes[0];
  const loss = view.network.loss;
  if (!loss) return null;
  return (
    <span class="came">
      {moved && moved.id === "E" ? (
        <>{moved.name} <span class="soft">{moved.before}</span> <span aria-hidden="true">→ </span><strong>{moved.after}</strong></>
      ) : (
        `${loss.number.name} ${loss.number.shown}`
      )}
    </span>
  );
}

/** A button that keeps the focus where it can do nothing any more. */
function Tool({ may, act, keys, title, children }: { may: boolean; act: () => void; keys?: string; title?: string; children: string }) {
  return (
    <button type="button" aria-disabled={!may} aria-keyshortcuts={keys} title={title} onClick={() => may && act()}>
      {children}
    </button>
  );
}

/** Ctrl+Z and Ctrl+Shift+Z, where they do not belong to a field. */
function useUndo(act: (verb: string) => void, desk: Desk): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.closest("input, textarea, select");
      if (inField || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const verb = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : "";
      if (!verb || !desk.view[verb as "undo" | "redo"]) return;
      event.preventDefault();
      act(verb);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [act, desk.view]);
}

/** What keeps edits from being sent, and what to do about it. */
function Banner({ desk }: { desk: Desk }) {
  const waiting = edits.count === 1 ? t("1 change waits.") : t("{n} changes wait.", { n: edits.count });
  const load = () => {
    edits.clear();
    void desk.look({});
  };
  return (
    <div role="alert">
      {edits.lost && (
        <div class="banner">
          <p>{t("The program does not answer. What you changed is kept here and sent as soon as it does.")} {edits.count > 0 && waiting}</p>
          <button type="button" onClick={() => void edits.flush()}>{t("Try again")}</button>
        </div>
      )}
      {edits.outdated && (
        <div class="banner">
          <p>{t("This was changed in another tab. Your last change was not made.")}</p>
          <button type="button" onClick={load}>{t("Load what is there now")}</button>
        </div>
      )}
    </div>
  );
}

const GIVEN = /^(W|b|gamma|beta|x|t)\[/;

/** The number that was chosen in the drawing or in a formula, where it is one that is given. */
function Chosen({ form }: { form: Form }) {
  const desk = useDesk();
  const id = desk.chosen;
  if (!id || !GIVEN.test(id) || (form.data.table && /^[xt]/.test(id))) return null;
  const shown = form.layers.flatMap((layer) => [...(layer.matrix?.numbers.flat() ?? []), ...layer.vectors.flatMap((each) => each.numbers)]);
  const cell = [...shown, ...form.data.samples.flatMap((each) => [...each.inputs, ...(each.targets ?? [])])].find((each) => each.path === id);
  const step = desk.step(id);
  const value = cell?.value ?? (form.after === 0 ? step?.value : undefined);
  const name = cell?.name ?? step?.name ?? id;
  if (value === undefined) return null;
  return (
    <fieldset class="chosen-number">
      <legend>{t("Chosen in the drawing")}</legend>
      <div class="field">
        <label for={idOf(`chosen-${id}`)}>{name}</label>
        <NumberInput path={id} value={value} label={name} id={idOf(`chosen-${id}`)} />
      </div>
    </fieldset>
  );
}
