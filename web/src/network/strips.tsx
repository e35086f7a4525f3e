// Larger networks: a strip for each layer.

import { useDesk } from "../desk";

export function Strips() {
  const { view } = useDesk();
  return <p>{view.network.parameters}</p>;
}
