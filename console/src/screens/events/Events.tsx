import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Events() {
  return <Nothing title="Events" text="To be written." />;
}
