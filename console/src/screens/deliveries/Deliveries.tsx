import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Deliveries() {
  return <Nothing title="Deliveries" text="To be written." />;
}
