import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Settings() {
  return <Nothing title="Settings" text="To be written." />;
}
