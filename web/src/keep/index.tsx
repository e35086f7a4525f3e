// Keep: the example, its derivation and its drawing as files, and files opened again.

import { useEffect, useState } from "preact/hooks";
import { useDesk } from "../desk";
import { save } from "../files";
import { t } from "../phrases";
import { Open, type Bundled } from "./open";
import { drawing, png, svgText } from "./picture";
import "./keep.css";

interface Kept {
  name: string;
  type: string;
  text: string;
}

interface About {
  examples: Bundled[];
  table: string;
  recorded: boolean;
}

export function Keep() {
  const desk = useDesk();
  const [about, setAbout] = useState<About | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    void desk.ask<About>("examples").then((found) => found && setAbout(found));
  }, [desk.view.version]);

  const keep = async (format: string, more: object = {}) => {
    setSaid("");
    const made = await desk.ask<Kept>("keep", { format, language: desk.view.language, ...more });
    if (!made) return;
    save(made.name, made.type, made.text);
    setSaid(t("{name} was handed to the browser.", { name: made.name }));
  };
  const picture = async (kind: "svg" | "png") => {
    const svg = drawing();
    if (!svg) {
      setSaid(t("A network this large is drawn as strips: there is no picture of it. Keep the page (HTML) instead."));
      return;
    }
    const text = svgText(svg);
    const name = `network.${kind}`;
    save(name, kind === "svg" ? "image/svg+xml" : "image/png", kind === "svg" ? text : await png(text));
    setSaid(t("{name} was handed to the browser.", { name }));
  };
  const after = desk.view.after ?? 0;
  const anew = after > 0 ? t("Opened again, it begins before the first update.") : "";
  const offer = (label: string, words: string, run: () => Promise<void>, more = "") => (
    <li>
      <button type="button" disabled={desk.busy} onClick={() => void run()}>{label}</button>
      <span class="soft">{words}{more && <><br />{more}</>}</span>
    </li>
  );

  if (!about) return <p role="status">{t("One moment")}</p>;
  return (
    <div class="keep">
      <div role="status" class="said">{said}</div>
      {!about.recorded && (
        <section aria-labelledby="keep-example-files">
          <h2 id="keep-example-files">{t("The example")}</h2>
          <ul>
            {offer(t("Spec (TOML)"), about.table
              ? t("everything that was given and changed; it names its table, {table}", { table: about.table })
              : t("everything that was given and changed: to open again here, or with any command"), () => keep("toml"), anew)}
            {after > 0 && offer(t("Spec with the weights of this step (TOML)"),
              t("the weights that this step begins with, written into it; the optimizer's memory, the schedule and the order of the batches begin anew"),
              () => keep("toml", { reached: true }))}
            {about.table && offer(t("Table ({name})", { name: about.table }), t("belongs beside the spec"), () => keep("table"))}
            {about.table && offer(t("Spec with its numbers (TOML)"), t("one file, with the table's numbers in it"), () => keep("toml", { inline: true }))}
          </ul>
        </section>
      )}
      <section aria-labelledby="keep-derivation">
        <h2 id="keep-derivation">{t("The derivation of this step")}</h2>
        <ul>
          {offer(t("Page (HTML)"), about.recorded ? t("one file to mail or to put in a course") : t("one file to mail or to put in a course; it can be opened again here"), () => keep("html"), about.recorded ? "" : anew)}
          {offer("LaTeX", t("for a text of your own"), () => keep("latex"))}
          {offer("Markdown", t("for notes and sites"), () => keep("markdown"))}
          {offer("JSON", t("for programs: every number with all its digits"), () => keep("json"))}
        </ul>
      </section>
      <section aria-labelledby="keep-picture">
        <h2 id="keep-picture">{t("The drawing")}</h2>
        <ul>
          {offer("SVG", t("sharp at any size"), () => picture("svg"))}
          {offer("PNG", t("for slides and messages"), () => picture("png"))}
        </ul>
      </section>
      <Open examples={about.examples} opening={() => setSaid("")} />
    </div>
  );
}
