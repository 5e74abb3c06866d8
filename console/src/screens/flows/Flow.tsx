import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Flow(_props: { id: string }) {
  return <Nothing title="Flow" text="To be written." />;
}
