import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Monitors() {
  return <Nothing title="Monitors" text="To be written." />;
}
