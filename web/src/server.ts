// Talking to the local page's server. Every ask is a POST with JSON; a refusal comes back as problems in words.

export interface Problem {
  what: string;
  where: string;
  got: string;
  do: string;
  /** Which field it is about, where it is one. */
  field?: string;
}

/** What the server refused, and why. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problems: Problem[],
  ) {
    super(problems.map((each) => [each.what, each.where, each.got, each.do].filter(Boolean).join(" - ")).join("\n"));
  }
}

/** Nobody answers: the server has ended, or the connection is lost. */
export class Unreachable extends Error {}

const KEPT = "chainrule-key";

export class Server {
  private constructor(private readonly key: string) {}

  /** Comes in with the token in the address, once; later loads of the page come in with what the tab remembers. */
  static async enter(): Promise<Server> {
    const token = location.hash.slice(1);
    if (token) {
      history.replaceState(null, "", location.pathname);
      const { key } = (await post("enter", { token }, "")) as { key: string };
      sessionStorage.setItem(KEPT, key);
      return new Server(key);
    }
    return new Server(sessionStorage.getItem(KEPT) ?? "");
  }

  ask<Answer>(verb: string, body: object = {}): Promise<Answer> {
    return post(verb, body, this.key) as Promise<Answer>;
  }

  /** Asks for events and hands each one over, until the server ends them or `signal` stops them. */
  async listen(verb: string, body: object, each: (event: unknown) => void, signal: AbortSignal): Promise<void> {
    const response = await send(verb, body, this.key, signal);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data: "));
        if (data.length) each(JSON.parse(data.map((line) => line.slice(6)).join("\n")));
      }
    }
  }
}

async function post(verb: string, body: object, key: string): Promise<unknown> {
  return (await send(verb, body, key)).json();
}

async function send(verb: string, body: object, key: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Chainrule-Token": key },
      body: JSON.stringify(body),
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (response.ok) return response;
  const found = await response.json().catch(() => null);
  const problems: Problem[] = found?.error?.problems ?? [{ what: `HTTP ${response.status}`, where: "", got: "", do: "" }];
  throw new Refused(response.status, problems);
}
