import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Poll(_props: { run: string }) {
  return <Nothing title="Poll" text="To be written." />;
}
