import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Connector(_props: { connector: string; step: string | undefined; part: string | undefined }) {
  return <Nothing title="Connector" text="To be written." />;
}
