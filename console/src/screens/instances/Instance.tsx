import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Instance(_props: { id: number }) {
  return <Nothing title="Instance" text="To be written." />;
}
