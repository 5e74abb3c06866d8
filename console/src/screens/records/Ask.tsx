import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Ask() {
  return <Nothing title="Ask" text="To be written." />;
}
