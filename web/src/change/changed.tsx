// What a change came to: old value beside new, the largest changes first.

import { useDesk } from "../desk";
import { t } from "../phrases";

export function Changed() {
  const { view, choose } = useDesk();
  const kinds = view.changed;
  const loss = kinds?.[0]?.changes[0];
  return (
    <section class="changed" aria-labelledby="change-changed">
      <h2 id="change-changed">{t("What changed")}</h2>
      <div role="status">
        {(view.said ?? []).map((each) => <p class="said">{each}</p>)}
        {kinds && (
          <p class="soft">
            {loss ? t("{name}: before {before}, now {after}.", loss as never) : t("The loss is as it was.")}
          </p>
        )}
        {!kinds && <p class="soft">{t("Change a number, and see here what follows from it.")}</p>}
      </div>
      <div class="kinds">
      {kinds?.map((kind) => (
        <div class="kind">
          <h3>
            {kind.title} <span class="soft">{kind.changed ? t("{n} of {all} changed", { n: kind.changed, all: kind.total }) : t("none changed")}</span>
          </h3>
          {kind.changes.length > 0 && (
            <div class="scroll">
              <table>
                <thead class="sr">
                  <tr><th scope="col">{t("number")}</th><th scope="col">{t("before")}</th><th scope="col">{t("now")}</th><th scope="col">{t("difference")}</th></tr>
                </thead>
                <tbody>
                  {kind.changes.map((each) => (
                    <tr key={each.id + each.name}>
                      <th scope="row"><button type="button" class="plain" onClick={() => choose(each.id)}>{each.name}</button></th>
                      <td class="old">{each.before}</td>
                      <td class="new"><span aria-hidden="true">→ </span>{each.after}</td>
                      <td class="by">{each.difference}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {kind.changed > kind.changes.length && <p class="soft">{t("and {n} more", { n: kind.changed - kind.changes.length })}</p>}
        </div>
      ))}
      </div>
    </section>
  );
}
