// The layers: activation, weights and biases as small matrices, and buttons that change the network's structure.

import { t } from "../phrases";
import type { Cell, Layer } from "./form";
import { idOf, Labelled, NumberInput } from "./number";

/** Asks for another structure: an action and what it needs. */
export type Act = (body: object) => void;

export function Layers({ layers, act, busy }: { layers: Layer[]; act: Act; busy: boolean }) {
  return <>{layers.map((layer) => <LayerFields key={layer.layer} layer={layer} act={act} busy={busy} only={layers.length === 1} />)}</>;
}

function LayerFields({ layer, act, busy, only }: { layer: Layer; act: Act; busy: boolean; only: boolean }) {
  const place = { layer: layer.layer };
  return (
    <fieldset>
      <legend>{layer.title}</legend>
      <div class="fields">
        {layer.fields.map((field) => <Labelled key={field.path} field={field} prefix="layer" />)}
        {layer.dense && (
          <div class="field">
            <label for={idOf(`biases-${layer.layer}`)}>{t("Biases")}</label>
            <select
              id={idOf(`biases-${layer.layer}`)}
              value={layer.biases}
              disabled={busy}
              onChange={(event) => act({ action: "biases", ...place, kind: event.currentTarget.value })}
            >
              <option value="none">{t("none")}</option>
              <option value="shared">{t("one, shared by the layer")}</option>
              <option value="per_unit">{t("one for each unit")}</option>
            </select>
          </div>
        )}
      </div>
      {layer.matrix && <Matrix layer={layer} act={act} busy={busy} />}
      {layer.dense && !layer.matrix && (
        <p class="note">{t("{n} weights: click one in the drawing, or open it by its name, to change it.", { n: (layer.units * layer.senders).toLocaleString("en") })}</p>
      )}
      {layer.vectors.map((each) => (
        <div class="vector" role="group" aria-label={`${layer.title}: ${each.title}`}>
          <span class="vector-title">{each.title}</span>
          {each.numbers.map((cell) => <Named key={cell.path} cell={cell} />)}
        </div>
      ))}
      <div class="row">
        {layer.dense && <button type="button" disabled={busy} onClick={() => act({ action: "add_unit", ...place })}>{t("Add a unit")}</button>}
        {layer.dense && !layer.matrix && (
          <button type="button" disabled={busy || layer.units < 2} onClick={() => act({ action: "remove_unit", ...place })}>{t("Remove the last unit")}</button>
        )}
        <button type="button" disabled={busy} onClick={() => act({ action: "add_layer", ...place })}>{t("Add a layer in front of layer {n}", { n: layer.layer })}</button>
        {!layer.last && !only && (
          <button type="button" disabled={busy} onClick={() => act({ action: "remove_layer", ...place })}>{t("Remove layer {n}", { n: layer.layer })}</button>
        )}
      </div>
    </fieldset>
  );
}

/** The weights: a row for each receiving unit, a column for each sender. */
function Matrix({ layer, act, busy }: { layer: Layer; act: Act; busy: boolean }) {
  const { columns, rows, numbers } = layer.matrix!;
  return (
    <div class="scroll">
      <table class="cells numbered">
        <caption class="sr">{t("Weights of layer {n}: a row for each receiving unit", { n: layer.layer })}</caption>
        <thead>
          <tr>
            <th scope="col"><span class="soft">{t("to \\ from")}</span></th>
            {columns.map((name) => <th scope="col">{name}</th>)}
            <td />
          </tr>
        </thead>
        <tbody>
          {numbers.map((cells, i) => (
            <tr key={i}>
              <th scope="row">{rows[i]}</th>
              {cells.map((cell, j) => (
                <td key={cell.path}>
                  <span class="cell-name" aria-hidden="true">{cell.name}</span>
                  <NumberInput
                    path={cell.path}
                    value={cell.value}
                    id={idOf(cell.path)}
                    label={t("{name}, weight to {unit} from {sender}", { name: cell.name, unit: rows[i]!, sender: columns[j]! })}
                  />
                </td>
              ))}
              <td>
                <button type="button" class="small" disabled={busy || numbers.length < 2} aria-label={t("Remove unit {name}", { name: rows[i]! })}
                  title={t("Remove unit {name}", { name: rows[i]! })} onClick={() => act({ action: "remove_unit", layer: layer.layer, unit: i + 1 })}>
                  <span aria-hidden="true">×</span>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A number under its own name. */
export function Named({ cell }: { cell: Cell }) {
  return (
    <span class="named">
      <span class="cell-name" aria-hidden="true">{cell.name}</span>
      <NumberInput path={cell.path} value={cell.value} id={idOf(cell.path)} label={cell.name} />
    </span>
  );
}
