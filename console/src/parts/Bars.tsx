// A small bar chart, readable as a table by who does not see it.
import { Box, Text } from "@mantine/core";

/** One bar: its name, its value, and where a part of it failed. */
export interface Bar {
  label: string;
  value: number;
  bad?: number;
}

/** Values over time. */
export function Bars(props: { bars: Bar[]; label: string; height?: number }) {
  const height = props.height ?? 80;
  const most = Math.max(1, ...props.bars.map((bar) => bar.value));
  const width = 100 / Math.max(1, props.bars.length);
  return (
    <Box component="figure" m={0}>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" width="100%" height={height} role="img" aria-label={props.label}>
        <line x1="0" x2="100" y1={height - 0.5} y2={height - 0.5} stroke="var(--mantine-color-default-border)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
        {props.bars.map((bar, index) => {
          const full = (bar.value / most) * (height - 4);
          const bad = ((bar.bad ?? 0) / most) * (height - 4);
          return (
            <g key={`${bar.label}${index}`}>
              <title>{`${bar.label}: ${bar.value}${bar.bad ? `, ${bar.bad} failed` : ""}`}</title>
              <rect x={index * width + width * 0.12} width={width * 0.76} y={height - full} height={full} fill="var(--mantine-primary-color-filled)" />
              {bad > 0 ? <rect x={index * width + width * 0.12} width={width * 0.76} y={height - bad} height={bad} fill="var(--mantine-color-red-7)" /> : null}
            </g>
          );
        })}
      </svg>
      <Text component="figcaption" size="xs" c="dimmed">
        {props.label}
      </Text>
    </Box>
  );
}
