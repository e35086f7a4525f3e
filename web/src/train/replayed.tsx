// A recorded run's update: which it is, whether the replay agrees, and tables about it.

import { useDesk } from "../desk";
import { t } from "../phrases";

export function Replayed() {
  const { view, choose, look } = useDesk();
  /** A cell that stands for a number of the step opens it; one that counts a sample shows that one. */
  const cell = (text: string, column: string) => {
    const id = view.named?.[text];
    if (id) return <button class="quiet" onClick={() => choose(id)}>{text}</button>;
    if (column === "sample") return <button class="quiet" onClick={() => void look({ sample: Number(text) })}>{text}</button>;
    return text;
  };
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
              {sheet.rows.map((row) => <tr>{row.map((text, place) => <td>{cell(text, sheet.columns[place]!)}</td>)}</tr>)}
            </tbody>
          </table>
          {sheet.sentence && <p>{sheet.sentence}</p>}
        </div>
      ))}
    </section>
  );
}
