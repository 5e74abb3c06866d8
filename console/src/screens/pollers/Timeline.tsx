// The window of a poll on a line of time, with the records where their compared values lie.
import { Group, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";

import type { Decision } from "../../api/watching";
import type { components } from "../../api/schema";
import { KINDS, keyOf, toneOf } from "./verdicts";

type Run = Pick<components["schemas"]["Run"], "window" | "startedAt" | "completeTo" | "outcome">;

const HEIGHT = 146;
const BASE = 92;
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** When a record lies on the line; `undefined` where what was compared is no date. */
export function instantOf(decision: Pick<Decision, "comparedDate">): number | undefined {
  return decision.comparedDate ? Date.parse(decision.comparedDate) : undefined;
}

/** The picture. Nothing where neither the window nor the records have instants. */
export function Timeline(props: { run: Run; decisions: readonly Decision[]; marked?: string }) {
  const { ref, width: measured } = useElementSize();
  // It is drawn as wide as it is shown, so that its words keep their size.
  const width = Math.max(280, Math.round(measured) || 1000);
  const binCount = Math.round(Math.min(80, width / 9));
  const { run, decisions } = props;
  const from = run.window.from ? Date.parse(run.window.from) : undefined;
  const to = run.window.to ? Date.parse(run.window.to) : undefined;
  const complete = run.completeTo ? Date.parse(run.completeTo) : undefined;
  const placed = decisions.flatMap((decision) => {
    const at = instantOf(decision);
    return at === undefined ? [] : [{ decision, at }];
  });
  const instants = [from, to, complete, ...placed.map(({ at }) => at)].filter((at) => at !== undefined);
  let low = Math.min(...instants);
  let high = Math.max(...instants);
  if (instants.length === 0 || low === high) return null;
  if (from !== undefined && to !== undefined && from < to) {
    // Records far outside of the window are drawn at the edge, so that the window itself can be seen.
    low = Math.max(low, from - 2 * (to - from));
    high = Math.min(high, to + (to - from));
  }
  const span = Math.max(1, high - low);
  const x = (at: number) => 20 + ((Math.min(Math.max(at, low), high) - low) / span) * (width - 40);
  const bins = stacked(binCount, placed.map(({ decision, at }) => ({ bin: Math.min(binCount - 1, Math.floor(((Math.min(Math.max(at, low), high) - low) / span) * binCount)), key: keyOf(decision) })));
  const most = Math.max(1, ...bins.map((bin) => bin.total));
  const step = (width - 40) / binCount;
  const found = placed.filter(({ decision }) => props.marked !== undefined && decision.objectId === props.marked);
  const outside = placed.filter(({ at }) => at < low || at > high).length;
  const label = `${placed.length} records on a line of time${from === undefined ? "" : `; the window begins at ${run.window.from}`}${to === undefined ? "" : ` and the provider's time at the start was ${run.window.to}`}`;
  return (
    <figure style={{ margin: 0 }} ref={ref}>
      <svg className="picture" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label} style={{ minHeight: 96 }}>
        {to !== undefined ? <rect x={from === undefined ? 0 : x(from)} width={Math.max(2, x(to) - (from === undefined ? 0 : x(from)))} y={14} height={BASE - 14} className="tone-window" rx={3} /> : null}
        <line x1={20} x2={width - 20} y1={BASE} y2={BASE} stroke="var(--mantine-color-dimmed)" />
        {bins.map((bin, index) => {
          let y = BASE;
          return bin.parts.map(([key, count]) => {
            const height = Math.max(3, (count / most) * (BASE - 26));
            y -= height;
            return (
              <rect key={`${index}${key}`} x={20 + index * step + 1} width={step - 2} y={y} height={height} className={`tone-${toneOf(key)}`}>
                <title>{`${count} ${key}`}</title>
              </rect>
            );
          });
        })}
        {found.map(({ at }, index) => (
          <path key={index} d={`M${x(at)} 2 l6 9 h-12 z`} fill="var(--mantine-color-text)" />
        ))}
        {from !== undefined ? <Instant x={x(from)} at={from} label="asked from" side="start" line={0} width={width} /> : null}
        {to !== undefined ? <Instant x={x(to)} at={to} label="provider's time at the start" side="end" line={1} width={width} /> : null}
        {complete !== undefined && complete !== to ? <Instant x={x(complete)} at={complete} label="complete to" side="end" line={2} width={width} /> : null}
      </svg>
      <figcaption>
        <Group gap="md">
          <Group gap={6} wrap="nowrap">
            <span className="chip" style={{ background: "var(--mantine-primary-color-light)", border: "1px solid var(--mantine-color-default-border)" }} aria-hidden />
            <Text size="xs">the window</Text>
          </Group>
          {found.length > 0 ? (
            <Text size="xs">
              <span aria-hidden>▲</span> record {props.marked}
            </Text>
          ) : null}
          {outside > 0 ? (
            <Text size="xs" c="dimmed">
              {outside} lie beyond the edges.
            </Text>
          ) : null}
          {placed.length < decisions.length ? (
            <Text size="xs" c="dimmed">
              {decisions.length - placed.length} have no instant that can be drawn.
            </Text>
          ) : null}
        </Group>
      </figcaption>
    </figure>
  );
}

function Instant(props: { x: number; at: number; label: string; side: "start" | "end"; line: number; width: number }) {
  const y = BASE + 16 + props.line * 16;
  // A label near an edge grows inwards.
  const anchor = props.x < 190 ? "start" : props.x > props.width - 190 ? "end" : props.side === "start" ? "end" : "start";
  return (
    <g>
      <line x1={props.x} x2={props.x} y1={12} y2={BASE + 4 + props.line * 16} stroke="var(--mantine-color-dimmed)" strokeDasharray="3 3" />
      <text x={props.x} y={y} textAnchor={anchor}>
        {`${props.label} ${exact.format(props.at)}`}
      </text>
    </g>
  );
}

function stacked(binCount: number, placed: { bin: number; key: string }[]): { total: number; parts: [string, number][] }[] {
  const bins = Array.from({ length: binCount }, () => new Map<string, number>());
  for (const { bin, key } of placed) bins[bin]?.set(key, (bins[bin].get(key) ?? 0) + 1);
  const order = KINDS.map((kind) => kind.key as string).reverse();
  return bins.map((bin) => ({
    total: [...bin.values()].reduce((sum, count) => sum + count, 0),
    parts: [...bin.entries()].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)),
  }));
}
