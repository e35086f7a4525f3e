// Where a number comes from: the tree of the numbers it is made of, unfolded down to what is given.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Step } from "../data";
import { useDesk } from "../desk";
import { Maths } from "../markup";
import { set, t } from "../phrases";
import type { Walking } from "./frames";

interface Row {
  path: string;
  id: string;
  level: number;
  step: Step | undefined;
  open: boolean;
  more: number; // for a line that only says how many are left out
}

const MOST = 400; // lines of an unfolded tree

/** The path of the line that a line hangs on. */
function above(path: string): string {
  return path.slice(0, path.lastIndexOf(" <"));
}

export function Causes({ walk, step: root }: { walk: Pick<Walking, "open">; step: Step }) {
  const { step, fetchStep, server } = useDesk();
  const [open, setOpen] = useState<Set<string>>(new Set([root.id]));
  const [focus, setFocus] = useState(root.id);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    setOpen(new Set([root.id]));
    setFocus(root.id);
  }, [root.id]);
  if (!root.uses.length) return null;

  const rows: Row[] = [];
  const add = (id: string, path: string, level: number) => {
    if (rows.length >= MOST) return;
    const found = step(id);
    const unfolded = open.has(path) && !!found?.uses.length;
    rows.push({ path, id, level, step: found, open: unfolded, more: 0 });
    if (!unfolded) return;
    found!.uses.forEach((each) => add(each, `${path} < ${each}`, level + 1));
    if (found!.more > 0) rows.push({ path: `${path} <`, id: "", level: level + 1, step: undefined, open: false, more: found!.more });
  };
  add(root.id, root.id, 1);

  const unfold = (row: Row, wanted: boolean) => {
    if (wanted && !row.step && row.id) void fetchStep(row.id);
    const next = new Set(open);
    if (wanted) next.add(row.path);
    else next.delete(row.path);
    setOpen(next);
  };
  const all = () => {
    const next = new Set<string>();
    const visit = (id: string, path: string) => {
      if (next.size > MOST) return;
      next.add(path);
      for (const each of step(id)?.uses ?? []) visit(each, `${path} < ${each}`);
    };
    visit(root.id, root.id);
    setOpen(next);
  };
  const to = (place: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, place))]!;
    setFocus(row.path);
    list.current?.querySelectorAll<HTMLElement>("[role=treeitem]")[rows.indexOf(row)]?.focus();
  };
  const keys = (event: KeyboardEvent) => {
    const place = rows.findIndex((row) => row.path === focus);
    const row = rows[place];
    if (!row) return;
    switch (event.key) {
      case "ArrowDown": to(place + 1); break;
      case "ArrowUp": to(place - 1); break;
      case "Home": to(0); break;
      case "End": to(rows.length - 1); break;
      case "ArrowRight": if (row.open) to(place + 1); else if (leads(row)) unfold(row, true); break;
      case "ArrowLeft": if (row.open) unfold(row, false); else to(rows.findIndex((each) => each.path === above(row.path))); break;
      case "Enter": case " ": if (row.id) walk.open(row.id); break;
      default: return;
    }
    event.preventDefault();
  };
  const leads = (row: Row) => (row.step ? row.step.uses.length > 0 : !!row.id && !!server);
  const folded = rows.some((row) => !row.open && leads(row)) && rows.length < MOST;
  const current = rows.some((row) => row.path === focus) ? focus : root.id;
  return (
    <section class="causes">
      <div class="head">
        <h3 id="causes">{t("Where it comes from")}</h3>
        <button class="quiet" onClick={folded ? all : () => setOpen(new Set([root.id]))}>{folded ? t("Unfold all") : t("Fold all")}</button>
      </div>
      <ul role="tree" aria-labelledby="causes" ref={list} onKeyDown={keys}>
        {rows.map((row) => (
          <li
            key={row.path} role="treeitem" aria-level={row.level} tabIndex={row.path === current ? 0 : -1}
            {...(leads(row) ? { "aria-expanded": row.open } : {})}
            data-level={Math.min(row.level, 12)} onFocus={() => setFocus(row.path)} aria-selected={row.path === current}
            onClick={() => (setFocus(row.path), leads(row) ? unfold(row, !row.open) : row.id && walk.open(row.id))}
          >
            <span class="twist" aria-hidden="true">{leads(row) ? (row.open ? "▾" : "▸") : ""}</span>
            {row.more ? (
              <span class="soft">{t("{n} more numbers", { n: row.more })}</span>
            ) : (
              <>
                <span class="what" onClick={(event) => (event.stopPropagation(), walk.open(row.id))}>
                  {row.step ? <Maths tree={row.step.label} name={row.step.name} /> : row.id}
                </span>
                {row.step && <span class="soft formula">{row.step.uses.length ? `=\u00a0${row.step.formula}` : t("given")}</span>}
                <span class="number">{row.step ? set(row.step.shown) : "…"}</span>
              </>
            )}
          </li>
        ))}
      </ul>
      {rows.length >= MOST && <p class="soft">{t("The tree goes on: open a number to see what leads to it.")}</p>}
    </section>
  );
}
