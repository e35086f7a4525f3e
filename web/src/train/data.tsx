// What is trained on: points of a known shape, or a table of one's own.

import { useRef, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../phrases";

const SHAPES: Record<string, string> = { xor: "Exclusive or", circles: "Two circles", moons: "Two moons", spirals: "Two spirals" };
const LARGEST = 16_000_000;

interface Table {
  name: string;
  csv: string;
  columns: { name: string; number: boolean }[];
}

export function Data() {
  const { change, look, busy } = useDesk();
  const [kind, setKind] = useState("circles");
  const [count, setCount] = useState("200");
  const [noise, setNoise] = useState("0.1");
  const [seed, setSeed] = useState("1");
  /** Other data, not a change of these: nothing of the old view is shown beside it. */
  const take = async (body: object) => (await change("data", body)) && (await look({}));
  return (
    <details class="data">
      <summary>{t("Train on other data")}</summary>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void take({ kind, count: Number(count), noise: Number(noise), seed: Number(seed) });
        }}
      >
        <label>
          {t("Points")}{" "}
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            {Object.entries(SHAPES).map(([each, name]) => <option value={each}>{t(name)}</option>)}
          </select>
        </label>
        <Field label={t("How many")} value={count} set={setCount} min="4" max="10000" step="1" />
        <Field label={t("Noise")} value={noise} set={setNoise} min="0" max="10" step="any" />
        <Field label={t("Seed")} value={seed} set={setSeed} min="0" max="1000000000" step="1" />
        <button disabled={busy}>{t("Take these points")}</button>
      </form>
      <Own take={take} />
    </details>
  );
}

interface FieldProps {
  label: string;
  value: string;
  set(value: string): void;
  min: string;
  max: string;
  step: string;
}

function Field({ label, value, set, ...limits }: FieldProps) {
  return (
    <label>
      {label} <input type="number" required value={value} onInput={(event) => set(event.currentTarget.value)} {...limits} />
    </label>
  );
}

/** A CSV file: its columns are asked for, then one is chosen to be learned. */
function Own({ take }: { take(body: object): Promise<unknown> }) {
  const { ask, busy } = useDesk();
  const file = useRef<HTMLInputElement>(null);
  const [table, setTable] = useState<Table | null>(null);
  const [target, setTarget] = useState("");
  const [inputs, setInputs] = useState<string[]>([]);
  const [refused, setRefused] = useState("");
  const read = async (chosen: File | undefined) => {
    setTable(null);
    setRefused("");
    if (!chosen) return;
    if (chosen.size > LARGEST) {
      setRefused(t("{name} is too large for the page: at most 16 MB. Train on it with: chainrule train", { name: chosen.name }));
      return;
    }
    if (!chosen.size) {
      setRefused(t("{name} is empty", { name: chosen.name }));
      return;
    }
    const csv = await chosen.text();
    const found = await ask<Pick<Table, "columns">>("columns", { csv, name: chosen.name });
    if (!found) return;
    const last = found.columns[found.columns.length - 1]!.name;
    setTable({ name: chosen.name, csv, columns: found.columns });
    setTarget(last);
    setInputs(found.columns.filter((each) => each.number && each.name !== last).map((each) => each.name).slice(0, 2));
  };
  return (
    <form
      class="own"
      onSubmit={(event) => {
        event.preventDefault();
        if (table) void take({ kind: "csv", csv: table.csv, name: table.name, target, columns: inputs.filter((name) => name !== target) });
      }}
    >
      <div class="row">
        <button type="button" onClick={() => file.current?.click()}>{t("Open a table of your own (CSV)")}</button>
        <input ref={file} type="file" hidden accept=".csv,text/csv" aria-label={t("Open a table of your own (CSV)")}
          onChange={(event) => {
            void read(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        {table && <span>{table.name}</span>}
      </div>
      {refused && <p role="alert">{refused}</p>}
      {table && (
        <>
          <div class="row">
            <label>
              {t("Learn to tell")}{" "}
              <select value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
                {table.columns.map((each) => <option value={each.name}>{each.name}</option>)}
              </select>
            </label>
          </div>
          <fieldset>
            <legend>{t("from these columns; two of them make a surface")}</legend>
            {table.columns.filter((each) => each.number && each.name !== target).map((each) => (
              <label>
                <input type="checkbox" checked={inputs.includes(each.name)}
                  onChange={(event) => setInputs(event.currentTarget.checked ? [...inputs, each.name] : inputs.filter((name) => name !== each.name))}
                />{" "}
                {each.name}
              </label>
            ))}
          </fieldset>
          <button disabled={busy || !inputs.some((name) => name !== target)}>{t("Take this table")}</button>
        </>
      )}
    </form>
  );
}
