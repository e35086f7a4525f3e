// The front end's state: the view, the number that is chosen, the tab, and what was asked of the server.

import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useMemo, useRef, useState } from "preact/hooks";
import type { Step, View } from "./data";
import { Refused, type Problem, type Server } from "./server";
import { t } from "./phrases";

export type Tab = "walk" | "change" | "try" | "train" | "keep";
export const TABS: Tab[] = ["walk", "change", "try", "train", "keep"];

/** What every part of the page can see and do. */
export interface Desk {
  view: View;
  /** The view before the last change, for old values beside new; null when nothing was changed. */
  before: View | null;
  server: Server | null;
  tab: Tab;
  setTab(tab: Tab): void;
  chosen: string | null;
  /** Chooses a number; what leads to it is fetched if it is not here. */
  choose(id: string | null): void;
  /** Where Walk stands: which of its frames is shown. */
  frame: number;
  setFrame(frame: number): void;
  /** A number of this view, if it is here. */
  step(id: string): Step | undefined;
  /** Brings a number that is not here, and what leads to it. */
  fetchStep(id: string, leads?: boolean): Promise<void>;
  /** What leads to the number that was fetched last because it was chosen, in the order of the calculation. */
  leading: string[];
  /** Asks for a new view and shows it. A change keeps the old one beside it. */
  change(verb: string, body?: object): Promise<boolean>;
  /** The same, for who deals with what goes wrong: it is thrown. Asks that follow each other know each other's version. */
  send(verb: string, body?: object): Promise<void>;
  /** Any other ask, for who deals with what goes wrong: it is thrown. */
  call<Answer>(verb: string, body?: object): Promise<Answer>;
  /** Does something; what is refused is shown. */
  attempt(work: () => Promise<unknown>): Promise<boolean>;
  look(body: { sample?: number; after?: number }): Promise<boolean>;
  /** Any other ask; problems are shown, and undefined given back. */
  ask<Answer>(verb: string, body?: object): Promise<Answer | undefined>;
  /** What was filled in, by the number's id: it stays when another tab is opened. */
  answers: Record<string, string>;
  setAnswers(answers: Record<string, string>): void;
  busy: boolean;
  problems: Problem[];
  /** Whether the problem is that something else is on the desk by now. */
  outdated: boolean;
  dismiss(): void;
}

const NOTHING: string[] = [];
const Context = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(Context);
  if (!desk) throw new Error("outside of a desk");
  return desk;
}

interface Opened {
  of: View;
  steps: Map<string, Step>;
  order: string[]; // what leads to the number that was opened last, in the order of the calculation
}

export function DeskOf({ first, server, children }: { first: View; server: Server | null; children: ComponentChildren }) {
  const [view, setView] = useState(first);
  const [before, setBefore] = useState<View | null>(null);
  const [tab, setTab] = useState<Tab>("walk");
  const [chosen, setChosen] = useState<string | null>(null);
  const [frame, setFrame] = useState(0);
  const [filled, setFilled] = useState(() => ({ of: subjectOf(first), answers: server ? remembered(subjectOf(first)) : {} }));
  const answers = filled.of === subjectOf(view) ? filled.answers : NONE;
  const setAnswers = (next: Record<string, string>) => {
    const of = subjectOf(latest.current);
    setFilled({ of, answers: next });
    sessionStorage.setItem(ANSWERS, JSON.stringify({ of, answers: next }));
  };
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problem[]>([]);
  const [outdated, setOutdated] = useState(false);
  const [opened, setOpened] = useState<Opened>({ of: first, steps: new Map(), order: [] });
  const latest = useRef(view);
  latest.current = view;

  const known = useMemo(() => new Map(view.steps.map((step) => [step.id, step])), [view]);
  const extra = opened.of === view ? opened.steps : undefined;

  // One ask after the other, in the order in which they were made: an answer never overtakes an earlier one, and each ask says
  // which step it is about, so that numbers of another step (another tab looks at it) are refused and not shown.
  const turn = useRef<Promise<unknown>>(Promise.resolve());
  const pending = useRef(0);
  const call = useCallback(
    <Answer,>(verb: string, body: object = {}): Promise<Answer> => {
      setBusy(++pending.current > 0);
      const sent = turn.current.then(() => {
        const { version, after, sample } = latest.current;
        return server!.ask<Answer>(verb, verb === "look" ? body : { seen: [version, after, sample], ...body });
      });
      turn.current = sent.catch(() => undefined).then(() => setBusy(--pending.current > 0));
      return sent;
    },
    [server],
  );
  const show = useCallback((found: View, keep: boolean) => {
    setBefore(keep && found.changed && !found.moved ? latest.current : null); // another example has no values of before
    latest.current = found;
    setView(found);
  }, []);
  const attempt = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setProblems([]);
    setOutdated(false);
    try {
      await work();
      return true;
    } catch (error) {
      setProblems(problemsOf(error));
      setOutdated(error instanceof Refused && error.status === 409);
      return false;
    }
  }, []);

  const ask = useCallback(
    async <Answer,>(verb: string, body: object = {}): Promise<Answer | undefined> => {
      let found: Answer | undefined;
      if (server) await attempt(async () => (found = await call<Answer>(verb, body)));
      return found;
    },
    [server, call, attempt],
  );

  const send = useCallback(
    async (verb: string, body: object = {}): Promise<void> => {
      if (server) show(await call<View>(verb, { version: latest.current.version, ...body }), true);
    },
    [server, call, show],
  );

  // of many looks that are asked for while one is answered (an arrow key is held down) only the last is sent
  const wanted = useRef<object | null>(null);
  const looking = useRef<Promise<boolean>>(Promise.resolve(true));
  const look = useCallback(
    (body: object): Promise<boolean> => {
      if (!server) return Promise.resolve(false);
      if (wanted.current) {
        wanted.current = { ...wanted.current, ...body };
        return looking.current;
      }
      wanted.current = body;
      looking.current = attempt(async () => {
        await turn.current;
        const asked = wanted.current!;
        wanted.current = null;
        show(await call<View>("look", asked), false);
      });
      return looking.current;
    },
    [server, call, attempt, show],
  );

  const fetchStep = useCallback(
    async (id: string, leads = false) => {
      const asked = latest.current;
      const found = await ask<{ id: string; steps: Step[] }>("open", { id });
      if (!found || latest.current !== asked) return;
      // a name that was typed, or a parameter: what was meant is chosen
      if (!found.steps.some((each) => each.id === id)) setChosen((now) => (now === id ? found.id : now));
      setOpened((old) => {
        const steps = new Map(old.of === asked ? old.steps : []);
        for (const step of found.steps) steps.set(step.id, step);
        const order = leads || old.of !== asked ? found.steps.map((each) => each.id) : old.order;
        return { of: asked, steps, order };
      });
    },
    [ask],
  );

  const step = useCallback((id: string) => known.get(id) ?? extra?.get(id), [known, extra]);
  const choose = useCallback(
    (id: string | null) => {
      setChosen(id);
      if (id !== null && !known.has(id) && !extra?.has(id)) void fetchStep(id, true);
    },
    [known, extra, fetchStep],
  );

  const desk: Desk = {
    view, before, server, tab, setTab, chosen, choose, frame, setFrame, step, fetchStep, ask,
    leading: opened.of === view ? opened.order : NOTHING, answers, setAnswers,
    busy, problems, outdated, send, call, attempt, look,
    change: (verb, body = {}) => attempt(() => send(verb, body)),
    dismiss: () => setProblems([]),
  };
  return <Context.Provider value={desk}>{children}</Context.Provider>;
}

const ANSWERS = "chainrule-answers";
const NONE: Record<string, string> = {};

/** What answers are about: of another network, or of the step after other updates, they are not kept. */
function subjectOf(view: View): string {
  return JSON.stringify([view.title, view.network.columns.map((column) => column.size), view.after]);
}

/** What was filled in before the page was loaded again. */
function remembered(of: string): Record<string, string> {
  const kept = JSON.parse(sessionStorage.getItem(ANSWERS) ?? "null") as { of: string; answers: Record<string, string> } | null;
  return kept?.of === of ? kept.answers : NONE;
}

/** An error as problems in words. */
export function problemsOf(error: unknown): Problem[] {
  if (error instanceof Refused) return error.problems;
  const what = t("The program does not answer. Is it still running? Start it again with `chainrule page`.");
  return [{ what, where: "", got: "", do: "" }];
}
