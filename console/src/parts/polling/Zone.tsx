// Time zones to choose from: regions, abbreviations and offsets; any other text may be typed.
import { Autocomplete } from "@mantine/core";

const SHORT = ["UTC", "GMT", "PST", "PDT", "MST", "MDT", "CST", "CDT", "EST", "EDT", "CET", "CEST", "EET", "MSK", "IST", "JST", "AEST", "NZST"];
const OFFSETS = Array.from({ length: 27 }, (_, at) => at - 12).map((hours) => `${hours < 0 ? "-" : "+"}${Math.abs(hours)}:00`);
const REGIONS = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
const DATA = [...new Set([...SHORT, ...REGIONS, ...OFFSETS])];

/** The zone of dates whose text has none of its own. */
export function Zone(props: { label: string; value: string; onChange: (value: string) => void; error?: string | undefined }) {
  return <Autocomplete label={props.label} placeholder="UTC" value={props.value} data={DATA} limit={40} onChange={props.onChange} error={props.error} />;
}
