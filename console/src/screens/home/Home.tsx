import { Nothing } from "../../parts/Nothing";

/** To be written. */
export default function Home() {
  return <Nothing title="Home" text="To be written." />;
}
