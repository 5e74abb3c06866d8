import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function NewInstance() {
  return <Nothing title="NewInstance" text="To be written." />;
}
