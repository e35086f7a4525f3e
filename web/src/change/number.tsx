// A field for a number, and one for a choice: what stands in it, and beside it what is wrong with that.

import { useContext } from "preact/hooks";
import { createContext } from "preact";
import type { Value } from "../data";
import { t } from "../phrases";
import type { Edits } from "./edits";
import type { Field } from "./form";

export const EditsContext = createContext<Edits | null>(null);

export function useEdits(): Edits {
  const edits = useContext(EditsContext);
  if (!edits) throw new Error("outside of a form");
  return edits;
}

interface NumberProps {
  path: string;
  value: Value;
  label: string;
  wanted?: string;
  whole?: boolean;
  id: string;
}

/** A number: Enter, leaving the field and a short pause send it, Escape takes it back. */
export function NumberInput({ path, value, label, wanted, whole = false, id }: NumberProps) {
  const edits = useEdits();
  const was = String(value);
  const draft = edits.drafts.get(path);
  const fault = edits.faults.get(path);
  const about = [fault && `${id}-fault`, wanted && `${id}-wanted`].filter(Boolean).join(" ");
  return (
    <>
      <input
        id={id}
        class={draft && !fault ? "draft" : ""}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        spellcheck={false}
        size={Math.min(20, Math.max(4, (draft?.text ?? was).length))}
        title={was.length > 20 ? was : undefined}
        aria-label={label}
        aria-invalid={fault ? true : undefined}
        aria-describedby={about || undefined}
        value={draft?.text ?? was}
        onInput={(event) => edits.write(path, event.currentTarget.value, was, whole)}
        onBlur={() => edits.commit(path)}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            edits.commit(path);
          } else if (event.key === "Escape") {
            edits.forget(path);
          }
        }}
      />
      {fault && <span class="fault" id={`${id}-fault`} role="alert"><span aria-hidden="true">✗ </span>{fault}</span>}
    </>
  );
}

/** A field with its label: a number, or one of some words. */
export function Labelled({ field, prefix }: { field: Field; prefix: string }) {
  const id = idOf(`${prefix}-${field.path}`);
  return (
    <div class="field">
      <label for={id}>{field.label}</label>
      {field.options.length ? (
        <ChoiceInput path={field.path} value={String(field.value)} options={field.options} id={id} {...(field.wanted ? { wanted: field.wanted } : {})} />
      ) : (
        <NumberInput path={field.path} value={field.value} label={field.label} id={id} whole={field.whole ?? false} wanted={field.wanted} />
      )}
      {field.wanted && <span class="wanted" id={`${id}-wanted`}>{field.wanted}</span>}
    </div>
  );
}

/** Words of a choice that may be cut off in their field stand below it once more. */
const LONG = 42;

/** How wide a text is: a Chinese sign is as wide as two others. */
function wide(text: string): number {
  return [...text].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 2 : 1), 0);
}

interface ChoiceProps {
  path: string;
  value: string;
  options: [string, string][];
  id: string;
  label?: string;
  wanted?: string;
}

export function ChoiceInput({ path, value, options, id, label, wanted }: ChoiceProps) {
  const edits = useEdits();
  const fault = edits.faults.get(path);
  const about = [fault && `${id}-fault`, wanted && `${id}-wanted`].filter(Boolean).join(" ");
  const chosen = options.find(([each]) => each === value)?.[1] ?? "";
  return (
    <>
      <select
        id={id}
        aria-label={label}
        aria-invalid={fault ? true : undefined}
        aria-describedby={about || undefined}
        value={edits.drafts.get(path)?.text ?? value}
        onChange={(event) => edits.choose(path, event.currentTarget.value)}
      >
        {options.map(([each, words]) => <option value={each}>{words}</option>)}
      </select>
      {wide(chosen) > LONG && <span class="wanted whole" aria-hidden="true">{chosen}</span>}
      {fault && (
        <span class="fault" id={`${id}-fault`} role="alert">
          <span aria-hidden="true">✗ </span>{fault}{" "}
          <button type="button" onClick={() => edits.forget(path)}>{t("Leave it as it was")}</button>
        </span>
      )}
    </>
  );
}

/** A path as the id of an element. */
export function idOf(path: string): string {
  return `change-${path.replace(/[^\w-]+/g, "-")}`;
}
