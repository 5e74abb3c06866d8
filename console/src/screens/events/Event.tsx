import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Event(_props: { id: string }) {
  return <Nothing title="Event" text="To be written." />;
}
