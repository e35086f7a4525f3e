// Inputs and targets: all samples of small data, or the one that is looked at.

import { t } from "../phrases";
import type { Data } from "./form";
import type { Act } from "./layers";
import { ChoiceInput, idOf, NumberInput } from "./number";

export function Samples({ data, act, busy }: { data: Data; act: Act; busy: boolean }) {
  const fixed = data.table !== "";
  return (
    <fieldset>
      <legend>{data.rows === 1 ? t("Inputs and targets") : t("Inputs and targets: {n} samples", { n: data.rows.toLocaleString("en") })}</legend>
      {fixed && (
        <p class="note">
          {t("The numbers come from {table}.", { table: data.table })}{" "}
          <button type="button" disabled={busy} onClick={() => act({ action: "take_over" })}>{t("Take them into the example, to change them")}</button>
        </p>
      )}
      {!fixed && data.samples.length > 0 && <Table data={data} act={act} busy={busy} />}
      {!fixed && (
        <div class="row">
          <button type="button" disabled={busy} onClick={() => act({ action: "add_sample" })}>{t("Add a sample")}</button>
          <button type="button" disabled={busy} onClick={() => act({ action: "add_unit", layer: 0 })}>{t("Add an input")}</button>
        </div>
      )}
    </fieldset>
  );
}

function Table({ data, act, busy }: { data: Data; act: Act; busy: boolean }) {
  const many = data.rows > 1;
  return (
    <div class="scroll">
      <table class="cells">
        <caption class="sr">{t("Inputs and targets: a row for each sample")}</caption>
        <thead>
          <tr>
            <th scope="col">{many ? t("sample") : <span class="sr">{t("sample")}</span>}</th>
            {data.inputs.map((name, j) => (
              <th scope="col">
                {name}
                {data.inputs.length > 1 && (
                  <button type="button" class="small" disabled={busy} aria-label={t("Remove input {name}", { name })} title={t("Remove input {name}", { name })}
                    onClick={() => act({ action: "remove_unit", layer: 0, unit: j + 1 })}>
                    <span aria-hidden="true">×</span>
                  </button>
                )}
              </th>
            ))}
            {data.classes.length ? <th scope="col">{t("class")}</th> : data.targets.map((name) => <th scope="col">{t("target of {name}", { name })}</th>)}
            {many && <td />}
          </tr>
        </thead>
        <tbody>
          {data.samples.map((each) => (
            <tr key={each.sample}>
              <th scope="row">{each.sample}</th>
              {each.inputs.map((cell, j) => (
                <td key={cell.path}>
                  <NumberInput path={cell.path} value={cell.value} id={idOf(cell.path)}
                    label={many ? t("Input {name}, sample {n}", { name: data.inputs[j]!, n: each.sample }) : t("Input {name}", { name: data.inputs[j]! })} />
                </td>
              ))}
              {each.targets?.map((cell, j) => (
                <td key={cell.path}>
                  <NumberInput path={cell.path} value={cell.value} id={idOf(cell.path)}
                    label={many ? t("Target of {name}, sample {n}", { name: data.targets[j]!, n: each.sample }) : t("Target of {name}", { name: data.targets[j]! })} />
                </td>
              ))}
              {each.label && (
                <td>
                  <ChoiceInput path={each.label.path} value={each.label.value} id={idOf(each.label.path)} label={t("Class of sample {n}", { n: each.sample })}
                    options={data.classes.map((name) => [name, name])} />
                </td>
              )}
              {many && (
                <td>
                  <button type="button" class="small" disabled={busy} aria-label={t("Remove sample {n}", { n: each.sample })} title={t("Remove sample {n}", { n: each.sample })}
                    onClick={() => act({ action: "remove_sample", sample: each.sample })}>
                    <span aria-hidden="true">×</span>
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
