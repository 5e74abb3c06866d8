import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Connectors() {
  return <Nothing title="Connectors" text="To be written." />;
}
