// The last polls of a poller as a small picture: how much each brought, and which failed.
import type { components } from "../api/schema";
import { duration } from "./When";

import "./parts.css";

type Run = components["schemas"]["Run"];

/** Events that a run recorded. */
export function eventsOf(run: Pick<Run, "counts">): number {
  return run.counts.created + run.counts.updated + run.counts.deleted;
}

/** What a run did, in a few words. */
export function told(run: Run): string {
  if (run.outcome === "failed") return `failed: ${run.error?.message ?? "no reason is kept"}`;
  const events = eventsOf(run);
  const took = duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000);
  return `${run.counts.records} ${run.counts.records === 1 ? "record" : "records"}, ${events} ${events === 1 ? "event" : "events"}, ${took}`;
}

const HEIGHT = 44;
const WIDTH = 9;

/** The runs, newest first as the API gives them; drawn with the newest at the right. */
export function Polls(props: { runs: Run[]; room?: number }) {
  const room = props.room ?? 40;
  const runs = props.runs.slice(0, room).reverse();
  const most = Math.max(1, ...runs.map(eventsOf));
  const failed = runs.filter((run) => run.outcome === "failed").length;
  const events = runs.reduce((sum, run) => sum + eventsOf(run), 0);
  const label = `${runs.length === 1 ? "The last poll" : `The last ${runs.length} polls`}: ${events} ${events === 1 ? "event" : "events"}, ${failed === 0 ? "none failed" : `${failed} failed`}`;
  const from = room - runs.length;
  return (
    <svg className="picture" viewBox={`0 0 ${room * WIDTH} ${HEIGHT}`} preserveAspectRatio="xMaxYMid meet" style={{ height: HEIGHT, maxWidth: room * WIDTH }} role="img" aria-label={label}>
      <line x1="0" x2={room * WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} stroke="var(--mantine-color-default-border)" />
      {runs.map((run, index) => {
        const x = (from + index) * WIDTH + 1;
        const count = eventsOf(run);
        const height = run.outcome === "failed" ? HEIGHT - 8 : count > 0 ? 6 + (Math.sqrt(count) / Math.sqrt(most)) * (HEIGHT - 14) : 3;
        return (
          <g key={run.id}>
            <title>{`${run.kind} at ${run.startedAt}: ${told(run)}`}</title>
            <rect x={x} width={WIDTH - 2} y={0} height={HEIGHT} fill="transparent" />
            <rect x={x} width={WIDTH - 2} y={HEIGHT - height} height={height} rx={1.5} className={run.outcome === "failed" ? "tone-failed" : count > 0 ? "tone-event" : "tone-ignored"} />
            {run.outcome === "failed" ? <path d={`M${x + 1.5} 1.5 l4 4 m0 -4 l-4 4`} stroke="#e03131" strokeWidth="1.4" fill="none" /> : null}
          </g>
        );
      })}
    </svg>
  );
}
