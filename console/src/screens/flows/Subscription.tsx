import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Subscription(_props: { id: number }) {
  return <Nothing title="Subscription" text="To be written." />;
}
