// Opening a file: a spec, a page that was kept, or a bundled example.

import { useEffect, useRef, useState } from "preact/hooks";
import { edits } from "../change/edits";
import { useDesk } from "../desk";
import { t } from "../phrases";

const KINDS = [".toml", ".json", ".html", ".htm"];

/** What the program reads, in bytes. */
const LARGEST = 16 * 2 ** 20;

export interface Bundled {
  name: string;
  title: string;
}

/** Why a file cannot be opened, before it is read; "" if it may be. */
function refusal(file: File): string {
  const name = file.name.toLowerCase();
  if (!KINDS.some((kind) => name.endsWith(kind)))
    return t("{name} is no file of an example. Choose a spec (TOML, JSON) or a page that was kept here (HTML).", { name: file.name });
  if (!file.size) return t("{name} is empty. Choose another file.", { name: file.name });
  if (file.size > LARGEST)
    return t("{name} has {size} MB: at most 16 MB are read. Choose another file.", { name: file.name, size: Math.ceil(file.size / 2 ** 20).toLocaleString("en") });
  return "";
}

export function Open({ examples, opening }: { examples: Bundled[]; opening: () => void }) {
  const desk = useDesk();
  const field = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState("");
  const [done, setDone] = useState("");
  const [example, setExample] = useState("");
  const status = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (done) status.current?.scrollIntoView({ block: "nearest" });
  }, [done]);

  const begin = async (body: object, name: string) => {
    opening();
    setFault("");
    setDone("");
    await edits.flush(); // what is being written belongs to what lies here now
    if (!(await desk.change("begin", body))) return;
    edits.clear();
    setDone(t("{name} is open now. Undo in Change brings back what was here.", { name }));
  };
  const read = async (file: File | undefined) => {
    if (!file) return;
    const why = refusal(file);
    setFault(why);
    setDone("");
    if (!why) await begin({ name: file.name, text: await file.text() }, file.name);
  };
  return (
    <section aria-labelledby="keep-open">
      <h2 id="keep-open">{t("Open")}</h2>
      <div role="status" ref={status} class="said">{done}</div>
      <div
        class={over ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void read(event.dataTransfer?.files[0]);
        }}
      >
        <button type="button" disabled={desk.busy} aria-describedby="keep-kinds" onClick={() => field.current?.click()}>{t("Open a file")}</button>
        <span id="keep-kinds" class="soft">{t("or drop one here: a spec (TOML, JSON), or a page that was kept (HTML)")}</span>
        <input ref={field} type="file" hidden accept={KINDS.join(",")} aria-label={t("Open a file")}
          onChange={(event) => {
            void read(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (example) void begin({ example }, example);
        }}
      >
        <label for="keep-example">{t("An example that comes along")}</label>
        <select id="keep-example" value={example} onChange={(event) => setExample(event.currentTarget.value)}>
          <option value="">{t("choose one")}</option>
          {examples.map((each) => <option value={each.name}>{`${each.name}: ${each.title}`}</option>)}
        </select>
        <button type="submit" disabled={!example || desk.busy}>{t("Open")}</button>
      </form>
      <div role="alert">{fault && <p class="fault"><span aria-hidden="true">✗ </span>{fault}</p>}</div>
    </section>
  );
}
