import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Delivery(_props: { id: number }) {
  return <Nothing title="Delivery" text="To be written." />;
}
