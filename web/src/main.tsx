// mount(element, data): the whole page in an element. The page itself, and a file made by `explain`, start it themselves.

import { render } from "preact";
import "./style.css";
import { App } from "./app";
import type { View } from "./data";
import { DeskOf, problemsOf } from "./desk";
import { speak } from "./phrases";
import { Server } from "./server";

/** Shows a step in an element. Without a server nothing can be asked: the step is there to be walked through. */
export function mount(element: Element, data: View, server: Server | null = null): void {
  speak(data.phrases);
  document.documentElement.lang = data.language;
  element.replaceChildren();
  render(
    <DeskOf first={data} server={server}>
      <App />
    </DeskOf>,
    element,
  );
}

async function start(): Promise<void> {
  const element = document.getElementById("chainrule");
  if (!element) return;
  const data = document.getElementById("chainrule-data");
  if (data) {
    mount(element, JSON.parse(data.textContent ?? "") as View);
    document.querySelector("#chainrule-text h1")?.remove(); // the title stands above already
    return;
  }
  try {
    const server = await Server.enter();
    const view = await server.ask<View>("look");
    document.title = view.title;
    mount(element, view, server);
  } catch (error) {
    element.textContent = [...problemsOf(error).map((each) => [each.what, each.do].filter(Boolean).join(" - "))].join("\n");
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => void start());
else void start();
