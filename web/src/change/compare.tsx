// Conventions side by side: the same step under each, with the numbers that differ marked.

import { useEffect, useRef, useState } from "preact/hooks";
import { problemsOf, useDesk } from "../desk";
import { t } from "../phrases";
import { Refused } from "../server";
import { edits, words } from "./edits";
import type { Choices, Comparison } from "./form";

export function Compare({ choices }: { choices: Choices }) {
  const desk = useDesk();
  const [wanted, setKeys] = useState(["update.order", ""]);
  const [found, setFound] = useState<Comparison | null>(null);
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState("");
  const table = useRef<HTMLDivElement>(null);
  // what another optimizer had is not there any more
  const has = (key: string) => choices.varied.some(([each]) => each === key);
  const keys = [has(wanted[0]!) ? wanted[0]! : "update.order", has(wanted[1]!) && wanted[1] !== wanted[0] ? wanted[1]! : ""];
  const compare = async () => {
    setFault("");
    setFound(null);
    setAsking(true);
    try {
      await edits.flush(); // what is being written belongs to what is compared
      setFound(await desk.call<Comparison>("compare", { vary: keys.filter(Boolean) }));
    } catch (error) {
      if (error instanceof Refused && error.status === 409) void desk.attempt(() => Promise.reject(error)); // the page offers to load
      else setFault(words(problemsOf(error)));
    } finally {
      setAsking(false);
    }
  };
  useEffect(() => {
    if (found) table.current?.scrollIntoView({ block: "nearest" });
  }, [found]);
  const select = (place: number, label: string, none: boolean) => (
    <div class="field">
      <label for={`change-vary-${place}`}>{label}</label>
      <select id={`change-vary-${place}`} value={keys[place]} onChange={(event) => setKeys(keys.map((key, i) => (i === place ? event.currentTarget.value : key)))}>
        {none && <option value="">{t("nothing else")}</option>}
        {choices.varied.filter(([key]) => !none || key !== keys[0]).map(([key, label]) => <option value={key}>{label}</option>)}
      </select>
    </div>
  );
  return (
    <fieldset class="compare">
      <legend>{t("Side by side")}</legend>
      <p class="soft">{t("The same step under each choice. Numbers that differ stand out.")}</p>
      <div class="fields">
        {select(0, t("Vary"), false)}
        {select(1, t("and"), true)}
      </div>
      <div class="row"><button type="button" disabled={asking} onClick={() => void compare()}>{t("Put side by side")}</button></div>
      <div role="alert">{fault && <p class="fault"><span aria-hidden="true">✗ </span>{fault}</p>}</div>
      {found && found.version !== desk.view.version && <p class="note">{t("This is from before the last change. Put them side by side again.")}</p>}
      <div ref={table} class="found">{found && <Table {...found} />}</div>
    </fieldset>
  );
}

function Table({ columns, rows, left_out }: Comparison) {
  return (
    <>
      <div class="scroll" role="region" aria-label={t("Side by side")} tabIndex={0}>
        <table class="sides">
          <thead>
            <tr>
              <td />
              {columns.map((column) => (
                <th scope="col">
                  {column.label}
                  {column.same.map((same) => <span class="soft">{t("the same: {label}", { label: same })}</span>)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr class={row.differs ? "differs" : ""}>
                <th scope="row">
                  {row.name}
                  {row.differs && <span class="sign" role="img" aria-label={t("differs")}>≠</span>}
                </th>
                {row.cells.map((cell) => <td>{cell}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {left_out > 0 && <p class="soft">{t("and {n} more numbers", { n: left_out })}</p>}
    </>
  );
}
