import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Poller(_props: { instance: number; resource: string }) {
  return <Nothing title="Poller" text="To be written." />;
}
