// A recorded run's update: which it is, whether the replay agrees, and tables about it.

import { useDesk } from "../desk";
import { t } from "../phrases";

export function Replayed() {
  const { view } = useDesk();
  return (
    <section class="replayed" aria-label={t("This update")}>
      <h2>{view.title}</h2>
      {view.notes.map((note) => <p>{note}</p>)}
      {view.sheets.map((sheet) => (
        <div class="sheet" tabIndex={0} role="region" aria-label={sheet.title}>
          <table>
            <caption>{sheet.title}</caption>
            <thead>
              <tr>{sheet.columns.map((name) => <th scope="col">{name}</th>)}</tr>
            </thead>
            <tbody>
              {sheet.rows.map((row) => <tr>{row.map((cell) => <td>{cell}</td>)}</tr>)}
            </tbody>
          </table>
          {sheet.sentence && <p>{sheet.sentence}</p>}
        </div>
      ))}
    </section>
  );
}
