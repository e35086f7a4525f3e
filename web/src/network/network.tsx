// The drawing of the network: columns of units, and the weights between them.

import type { Column, Edge } from "../data";
import { useDesk } from "../desk";
import { t } from "../phrases";

const ACROSS = 170;
const DOWN = 84;
const EDGE = 60;

export function Network() {
  const { view, chosen, choose } = useDesk();
  const { columns, edges } = view.network;
  if (!edges) return <p>{t("{n} parameters", { n: view.network.parameters })}</p>;
  const tallest = Math.max(...columns.map((each) => each.size));
  const width = 2 * EDGE + (columns.length - 1) * ACROSS;
  const height = 2 * EDGE + (tallest - 1) * DOWN;
  const place = (column: Column, unit: number): [number, number] => [
    EDGE + column.layer * ACROSS,
    height / 2 + (unit - (column.size - 1) / 2) * DOWN,
  ];
  const line = (edge: Edge) => {
    const [x1, y1] = place(columns[edge.layer - 1]!, edge.from);
    const [x2, y2] = place(columns[edge.layer]!, edge.to);
    return { x1, y1, x2, y2 };
  };
  return (
    <svg viewBox={`0 0 ${width} ${height}`} role="group" aria-label={t("Network")}>
      {edges.map((edge) => (
        <line {...line(edge)} class={edge.id === chosen ? "edge chosen" : "edge"} onClick={() => choose(edge.id)} />
      ))}
      {columns.map((column) =>
        column.units?.map((unit, i) => {
          const [x, y] = place(column, i);
          return (
            <g class={unit.id === chosen ? "unit chosen" : "unit"} onClick={() => choose(unit.id)}>
              <circle cx={x} cy={y} r={26} />
              <text x={x} y={y} text-anchor="middle">{unit.name}</text>
              <text x={x} y={y + 14} text-anchor="middle">{unit.shown}</text>
            </g>
          );
        }),
      )}
    </svg>
  );
}
