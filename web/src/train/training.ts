// Training as the page follows it. It is followed whatever tab is shown: a training that nobody listens to ends after a while.

import { useEffect, useState } from "preact/hooks";
import { problemsOf, useDesk } from "../desk";
import type { Problem, Server } from "../server";
import type { Point, Run, State, Trained } from "./shapes";

export interface Followed {
  state: State | null;
  run: Run | null;
  problems: Problem[];
}

class Training {
  now: Followed = { state: null, run: null, problems: [] };
  private heard = new Set<() => void>();
  private listening = false;
  private asking: Promise<void> | null = null;

  constructor(private readonly server: Server) {}

  /** Asks where training stands, and follows it if it goes on; once for all who want to know it now. */
  refresh(): Promise<void> {
    return (this.asking ??= Promise.resolve().then(() => {
      this.asking = null;
      return this.ask();
    }));
  }

  private async ask(): Promise<void> {
    try {
      const found = await this.server.ask<Trained>("trained");
      if (found.recorded) this.set({ state: null, run: found, problems: [] });
      else {
        this.set({ state: found, run: null, problems: [] });
        if (found.running) void this.follow();
      }
    } catch (error) {
      this.set({ ...this.now, problems: problemsOf(error) });
    }
  }

  /** Follows a training until it has ended. */
  async follow(): Promise<void> {
    if (this.listening) return;
    this.listening = true;
    try {
      await this.server.listen("progress", {}, (event) => this.take(event as State), new AbortController().signal);
      this.listening = false;
    } catch (error) {
      this.listening = false;
      this.set({ ...this.now, problems: problemsOf(error) });
    }
  }

  take(event: State): void {
    const old = this.now.state;
    const points = event.again || !old ? event.points : [...settled(old), ...event.points];
    this.set({ state: { ...event, points }, run: null, problems: [] });
  }

  subscribe(hear: () => void): () => void {
    this.heard.add(hear);
    return () => void this.heard.delete(hear);
  }

  private set(now: Followed): void {
    this.now = now;
    for (const hear of this.heard) hear();
  }
}

/** The points that stay when newer ones come: the newest one was only there because it was the newest. */
function settled(state: State): Point[] {
  return state.points.filter(([at]) => at % state.stride === 0 || at === state.least?.[0]);
}

const trainings = new WeakMap<Server, Training>();

/** The training of this page, and where it stands. */
export function useTraining(): { training: Training; now: Followed } {
  const { server, view } = useDesk();
  if (!server) throw new Error("without a server nothing is trained");
  let training = trainings.get(server);
  if (!training) trainings.set(server, (training = new Training(server)));
  const [now, setNow] = useState(training.now);
  useEffect(() => training.subscribe(() => setNow(training.now)), [training]);
  useEffect(() => void training.refresh(), [training, view.version]);
  return { training, now };
}
