import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Instances() {
  return <Nothing title="Instances" text="To be written." />;
}
