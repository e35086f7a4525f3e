// Which of many samples is looked at.

import { useState } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../phrases";

export function Samples() {
  const { view, server, look, busy } = useDesk();
  const [typed, setTyped] = useState<string | null>(null);
  if (view.samples < 2) return null;
  const said = t("of {all}", { all: view.samples });
  if (!server) return <p class="samples">{t("Sample {n}", { n: view.sample })} {said}</p>;
  const to = (sample: number) => {
    setTyped(null);
    if (sample >= 1 && sample <= view.samples && sample !== view.sample) void look({ sample });
  };
  return (
    <form class="samples" onSubmit={(event) => (event.preventDefault(), to(Number(typed)))}>
      <label for="sample">{t("Sample")}</label>
      <button type="button" class="icon" aria-label={t("Sample before")} disabled={busy || view.sample <= 1} onClick={() => to(view.sample - 1)}>−</button>
      <input
        id="sample" type="number" min={1} max={view.samples} value={typed ?? view.sample}
        onInput={(event) => setTyped(event.currentTarget.value)} onChange={(event) => to(Number(event.currentTarget.value))}
      />
      <button type="button" class="icon" aria-label={t("Next sample")} disabled={busy || view.sample >= view.samples} onClick={() => to(view.sample + 1)}>+</button>
      <span>{said}</span>
    </form>
  );
}
