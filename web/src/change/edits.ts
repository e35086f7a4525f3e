// What was written into fields and is not yet with Python: drafts, what waits to be sent, and what was refused.
// It outlives the view: a change that cannot be sent is kept until it can.

import { Refused, Unreachable, type Problem } from "../server";
import { t } from "../phrases";
import { read } from "./reading";

export type Send = (verb: string, body: object) => Promise<void>;

/** After so long a pause a number that is one is sent, in milliseconds. */
const PAUSE = 900;

/** After so long another try is made to reach the program, in milliseconds. */
const AGAIN = 4000;

interface Draft {
  text: string;
  was: string;
  whole: boolean;
}

export class Edits {
  readonly drafts = new Map<string, Draft>();
  readonly faults = new Map<string, string>();
  /** Nobody answers: what waits is kept. */
  lost = false;
  /** It was changed in another tab: what waits goes nowhere until the present state is loaded. */
  outdated = false;
  sending = false;
  private readonly waiting = new Map<string, number | string>();
  private readonly sent = new Map<string, string>();
  private readonly pauses = new Map<string, ReturnType<typeof setTimeout>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private line: Promise<boolean> = Promise.resolve(true);
  private listener: () => void = () => {};
  private send: Send = async () => {};

  /** Who is told of every change, and how edits reach Python. */
  attach(listener: () => void, send: Send): void {
    this.listener = listener;
    this.send = send;
  }

  get count(): number {
    return this.waiting.size;
  }

  /** A number is being written: it is sent after a pause, if it is one. */
  write(path: string, text: string, was: string, whole: boolean): void {
    this.drafts.set(path, { text, was, whole });
    this.faults.delete(path);
    clearTimeout(this.pauses.get(path));
    this.pauses.set(path, setTimeout(() => this.commit(path, false), PAUSE));
    this.listener();
  }

  /** A number is written; `mark` says so where it is none. */
  commit(path: string, mark = true): void {
    clearTimeout(this.pauses.get(path));
    const draft = this.drafts.get(path);
    if (!draft || this.faults.has(path)) return;
    const { value, fault } = read(draft.text, draft.whole);
    if (fault !== undefined) {
      if (mark) this.faults.set(path, fault);
      this.waiting.delete(path);
    } else if (value === Number(draft.was) && draft.was !== "") {
      if (mark) this.forget(path);
      this.waiting.delete(path);
    } else this.choose(path, value!, draft.text);
    this.listener();
  }

  /** A choice, or a number that is one: it is sent as soon as possible. */
  choose(path: string, value: number | string, text = String(value)): void {
    if (!this.drafts.has(path)) this.drafts.set(path, { text, was: "", whole: false });
    this.drafts.get(path)!.text = text;
    this.faults.delete(path);
    this.waiting.set(path, value);
    this.listener();
    void this.flush();
  }

  /** Takes back what stands in a field and was not sent. */
  forget(path: string): void {
    clearTimeout(this.pauses.get(path));
    for (const each of [this.drafts, this.faults, this.waiting, this.sent]) each.delete(path);
    this.listener();
  }

  /** Another ask that changes something: what waits goes first. True if it was done; what goes wrong with it is thrown. */
  ask(verb: string, body: object = {}): Promise<boolean> {
    return this.inTurn(async () => {
      if (!(await this.drained())) return false;
      try {
        await this.send(verb, body);
        return true;
      } catch (error) {
        if (error instanceof Unreachable || !this.stopped(error)) throw error;
        return false;
      }
    });
  }

  /** Sends what waits. True if nothing waits any more. */
  flush(): Promise<boolean> {
    return this.inTurn(() => this.drained());
  }

  /** One after the other: each change is made to what the one before it left. */
  private inTurn(work: () => Promise<boolean>): Promise<boolean> {
    const turn = async () => {
      this.sending = true;
      this.listener();
      try {
        return await work();
      } finally {
        this.sending = false;
        this.listener();
      }
    };
    const done = this.line.then(turn, turn);
    this.line = done.catch(() => false);
    return done;
  }

  /** Sends what waits, all together; what is refused is refused alone. */
  private async drained(): Promise<boolean> {
    clearTimeout(this.timer);
    try {
      while (this.waiting.size && !this.outdated) {
        const edits = [...this.waiting];
        if (!(await this.attempt(edits)) && edits.length > 1) for (const each of edits) await this.attempt([each]);
        for (const [path, value] of edits) if (this.waiting.get(path) === value) this.waiting.delete(path);
      }
    } catch (error) {
      if (!this.stopped(error)) throw error;
    }
    return !this.waiting.size && !this.outdated;
  }

  /** Whether Python took these edits. Throws where nobody answers, or where another tab was first. */
  private async attempt(edits: [string, number | string][]): Promise<boolean> {
    try {
      await this.send("change", { edits: edits.map(([path, value]) => [path, value]) });
      this.lost = false;
      for (const [path] of edits) this.sent.set(path, this.drafts.get(path)?.text ?? "");
      return true;
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 409) throw error;
      this.lost = false;
      if (edits.length === 1) this.faults.set(edits[0]![0], words(error.problems));
      return false;
    }
  }

  private stopped(error: unknown): boolean {
    if (error instanceof Unreachable) {
      this.lost = true;
      this.timer = setTimeout(() => void this.flush(), AGAIN);
      return true;
    }
    this.outdated = error instanceof Refused && error.status === 409;
    return this.outdated;
  }

  /** The form is here with what was sent: those drafts are not needed any more. */
  settled(): void {
    for (const [path, text] of this.sent) if (this.drafts.get(path)?.text === text) this.drafts.delete(path);
    this.sent.clear();
    this.listener();
  }

  /** Everything that was written and not sent is given up. */
  clear(): void {
    for (const path of [...this.drafts.keys()]) this.forget(path);
    this.waiting.clear();
    this.outdated = this.lost = false;
    this.listener();
  }
}

/** The edits of this page. They outlive the view: what could not be sent is kept. */
export const edits = new Edits();

/** Problems in one text, for beside a field. */
export function words(problems: Problem[]): string {
  return problems.map((each) => [each.what, each.got && t("got {value}", { value: each.got }), each.do].filter(Boolean).join(" - ")).join("; ");
}
