// The polling interval: a slider for the usual minutes and a field for every number, which follow each other.
import { Box, Group, Input, NumberInput, Slider } from "@mantine/core";

const USUAL = { least: 1, most: 60 };
const MARKS = [1, 5, 15, 30, 45, 60].map((value) => ({ value, label: String(value) }));

/** Minutes between two polls, as the text that the configuration holds; empty is what counts by itself. */
export function Interval(props: { label: string; value: string; onChange: (value: string) => void; error?: string | undefined; initial?: number; disabled?: boolean }) {
  const minutes = Number(props.value === "" ? (props.initial ?? 15) : props.value);
  const shown = Number.isFinite(minutes) ? Math.min(Math.max(minutes, USUAL.least), USUAL.most) : USUAL.least;
  return (
    <Input.Wrapper label={props.label} labelElement="div" description="Anybody who may change the instance may change the interval." error={props.error}>
      <Group align="flex-start" mt="xs" gap="lg">
        <Box style={{ flex: "1 1 14rem" }} px="xs" pb="lg">
          <Slider
            min={USUAL.least}
            max={USUAL.most}
            step={1}
            marks={MARKS}
            value={shown}
            onChange={(value) => props.onChange(String(value))}
            thumbLabel={`${props.label}, slider`}
            label={(value) => `${value} min`}
            disabled={props.disabled ?? false}
          />
        </Box>
        <NumberInput
          aria-label={props.label}
          w={110}
          suffix=" min"
          value={props.value === "" ? "" : Number.isFinite(minutes) ? minutes : props.value}
          placeholder={`${props.initial ?? 15} min`}
          onChange={(value) => props.onChange(value === "" ? "" : String(value))}
          min={0}
          decimalScale={3}
          clampBehavior="none"
          disabled={props.disabled ?? false}
          error={props.error !== undefined}
          hideControls
        />
      </Group>
    </Input.Wrapper>
  );
}
