// The frame of the page: title, tabs, the drawing, and what the chosen tab shows.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Change } from "./change";
import { Changed } from "./change/changed";
import { TABS, useDesk, type Tab } from "./desk";
import { Keep } from "./keep";
import { Network } from "./network/network";
import { t } from "./phrases";
import { BelowTrain, Train } from "./train";
import { Try } from "./try";
import { Walk } from "./walk";
import { Matrices } from "./walk/matrices";
import { Samples } from "./walk/samples";

const NAMES: Record<Tab, string> = { walk: "Walk", change: "Change", try: "Try", train: "Train", keep: "Keep" };

/** Where the drawing stays in sight while the rest of the page is pushed up. */
const STAYS: Tab[] = ["walk", "change", "try"];

/** Whether an element takes less than half of the window's height. */
function useLow(of: { current: HTMLElement | null }): boolean {
  const [low, setLow] = useState(false);
  useLayoutEffect(() => {
    const measure = () => setLow(!!of.current && of.current.offsetHeight < window.innerHeight / 2);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(of.current!);
    window.addEventListener("resize", measure);
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", measure);
    };
  }, []);
  return low;
}

export function App() {
  const desk = useDesk();
  const drawing = useRef<HTMLElement>(null);
  const stays = useLow(drawing) && STAYS.includes(desk.tab);
  return (
    <div class="page">
      <header>
        <div class="title">
          <h1>{desk.view.title}</h1>
          <p>{desk.view.head[0]?.[1]}</p>
        </div>
        {desk.server && <Tabs />}
      </header>
      <Problems />
      <main>
        <div class="left">
          <section class={stays ? "drawing stays" : "drawing"} ref={drawing} aria-label={t("Network")}>
            <Samples />
            <Network />
            {desk.tab === "change" && desk.server && !desk.view.recorded && <Changed />}
          </section>
          <div class="more">
            {desk.tab === "walk" && <Matrices />}
            {desk.tab === "train" && desk.server && <BelowTrain />}
            <About />
          </div>
        </div>
        {desk.server ? (
          <section class="panel" role="tabpanel" id={`panel-${desk.tab}`} aria-labelledby={`tab-${desk.tab}`}>
            <Panel />
          </section>
        ) : (
          <section class="panel" aria-label={t("Walk")}>
            <Walk />
            <p class="soft alone">{t("This file shows one step. To change, fill in, train or keep it, open it with: chainrule page FILE")}</p>
          </section>
        )}
      </main>
    </div>
  );
}

/** The choices behind the numbers, and what is to be said about them. */
function About() {
  const { view } = useDesk();
  return (
    <details class="about">
      <summary>{t("How it is computed: the conventions")}</summary>
      <dl>
        {view.head.map(([label, words]) => (
          <>
            <dt>{label}</dt>
            <dd>{words}</dd>
          </>
        ))}
      </dl>
      {view.notes.map((note) => (
        <p>{note}</p>
      ))}
      <p>{view.conclusion}</p>
    </details>
  );
}

function Tabs() {
  const desk = useDesk();
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(desk.tab) + by + TABS.length) % TABS.length]!;
    desk.setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div role="tablist" aria-label={t("What to do")} onKeyDown={move}>
      {TABS.map((tab) => (
        <button
          role="tab"
          id={`tab-${tab}`}
          aria-controls={`panel-${tab}`}
          aria-selected={desk.tab === tab}
          tabIndex={desk.tab === tab ? 0 : -1}
          onClick={() => desk.setTab(tab)}
        >
          {t(NAMES[tab])}
        </button>
      ))}
    </div>
  );
}

function Panel() {
  const { tab } = useDesk();
  if (tab === "walk") return <Walk />;
  if (tab === "change") return <Change />;
  if (tab === "keep") return <Keep />;
  if (tab === "try") return <Try />;
  if (tab === "train") return <Train />;
  return null;
}

/** What was refused, and what to do about it; read out as soon as it is there. */
function Problems() {
  const { problems, outdated, look, dismiss } = useDesk();
  return (
    <div role="alert" class="problems">
      {problems.map((each) => (
        <p>
          <strong>{each.what}</strong> {[each.where, each.got && t("got {value}", { value: each.got }), each.do].filter(Boolean).join(" - ")}
        </p>
      ))}
      {problems.length > 0 && outdated && <button onClick={() => void look({})}>{t("Show it as it is now")}</button>}
      {problems.length > 0 && " "}
      {problems.length > 0 && <button onClick={dismiss}>{t("Close")}</button>}
    </div>
  );
}
