// The steps of a setup as links, in order. A step with faults says so.
import { Badge, Box, Group, Text } from "@mantine/core";
import { Link } from "wouter";

interface Step {
  to: string;
  label: string;
  isHere: boolean;
  count: number;
  /** Whether what is counted keeps nobody from saving. */
  isAdvice?: boolean;
}

/** The way through a setup. `beside` are places that are no steps. */
export function Steps(props: { steps: readonly Step[]; beside?: readonly Step[] }) {
  return (
    <Box component="nav" aria-label="Setup">
      <Group gap={4} component="ol" style={{ listStyle: "none", margin: 0, padding: 0, borderBottom: "1px solid var(--mantine-color-default-border)" }}>
        {props.steps.map((step, at) => (
          <One key={step.to} step={step} number={at + 1} />
        ))}
        {props.beside?.map((step) => (
          <One key={step.to} step={step} />
        ))}
      </Group>
    </Box>
  );
}

function One({ step, number }: { step: Step; number?: number }) {
  return (
    <li>
      <Box
        component={Link}
        href={step.to}
        aria-current={step.isHere ? "step" : undefined}
        px="xs"
        py={6}
        style={{ display: "flex", alignItems: "center", gap: 6, textDecoration: "none", color: "inherit", borderBottom: `2px solid ${step.isHere ? "var(--mantine-primary-color-filled)" : "transparent"}` }}
      >
        {number === undefined ? null : (
          <Box component="span" aria-hidden w={20} h={20} fz={12} style={{ display: "inline-grid", placeItems: "center", borderRadius: 10, background: step.isHere ? "var(--mantine-primary-color-filled)" : "var(--mantine-color-default-hover)", color: step.isHere ? "var(--mantine-color-white)" : "inherit" }}>
            {number}
          </Box>
        )}
        <Text component="span" size="sm" fw={step.isHere ? 600 : 400}>
          {step.label}
        </Text>
        {step.count > 0 ? (
          <Badge size="sm" color={step.isAdvice ? "orange" : "red"} variant="light" style={{ color: step.isAdvice ? "var(--mark-warn)" : "var(--mark-bad)" }} role="img" aria-label={step.isAdvice ? `${step.count} to look at` : `${step.count} to put right`}>
            {step.count}
          </Badge>
        ) : null}
      </Box>
    </li>
  );
}
