// What a polled resource can be set to: names, kinds and words. Meanings are those of docs/polling.md.
import type { Members } from "../../api/trying";
import { memberPath } from "../faults";

/** A resource of `event.poller.configuration`. */
export type Resource = Members;

/** One setting: where it stands in the resource, and how it is entered. */
export interface Setting {
  at: string;
  label: string;
  about: string;
  kind: "text" | "number" | "flag" | "choice" | "list";
  /** What counts when nothing is said. */
  initial?: string | boolean;
  choices?: readonly string[];
}

/** A group of settings under Advanced. */
export interface SettingGroup {
  title: string;
  settings: readonly Setting[];
}

const choice = (at: string, label: string, about: string, choices: readonly string[], initial: string): Setting => ({ at, label, about, kind: "choice", choices, initial });
const text = (at: string, label: string, about: string, initial?: string): Setting => ({ at, label, about, kind: "text", ...(initial === undefined ? {} : { initial }) });
const flag = (at: string, label: string, about: string, initial: boolean): Setting => ({ at, label, about, kind: "flag", initial });
const number = (at: string, label: string, about: string, initial?: string): Setting => ({ at, label, about, kind: "number", ...(initial === undefined ? {} : { initial }) });
const list = (at: string, label: string, about: string): Setting => ({ at, label, about, kind: "list" });

/** Everything that stands under Advanced. */
export const ADVANCED: readonly SettingGroup[] = [
  {
    title: "Where the records are",
    settings: [
      text("list", "List", "Where the list stands in the answer, such as data.items; the answer itself when empty."),
      number("pageSize", "Page size (pageSize)", "Records per page.", "20"),
      choice("pagination.type", "Pagination", "How pages follow each other.", ["page", "offset", "cursor", "link", "next", "none"], "undeclared"),
      text("pagination.page", "Page parameter", "The parameter that takes the page's number."),
      number("pagination.start", "First page", "The number of the first page.", "1"),
      text("pagination.offset", "Offset parameter", "The parameter that skips records."),
      text("pagination.token", "Next token", "Where the next token stands: meta.next, or header:X-Next."),
      text("pagination.param", "Token parameter", "The parameter that takes the token."),
      text("pagination.next", "Next url", "Where the url of the next page stands: links.next, or header:Next-Page."),
      text("pagination.size", "Size parameter", "The parameter that takes the page size."),
      text("pagination.more", "More flag", "A flag in the answer that decides the end."),
    ],
  },
  {
    title: "Which records are new",
    settings: [
      flag("filterByUpdatedDate", "Filter by updated date (filterByUpdatedDate)", "Off: the created date decides.", true),
      flag("filterByCurrentDate", "Filter by current date (filterByCurrentDate)", "Records dated after the start of the poll wait for the next one.", false),
      text("createdCheckTolerance", "Created check tolerance (createdCheckTolerance)", "Seconds between both dates that still mean CREATED.", "0"),
      text("cursorField", "Cursor field", "A whole number that only grows decides instead of a date; ${cursor} in the URL takes the last one."),
      text("deletedField", "Deleted field", "A member that marks a record as deleted."),
      list("volatileFields", "Volatile fields", "Members that do not count as a change."),
      choice("sameTimestampChange", "Same date, other content", "What becomes of it.", ["report", "ignore"], "report"),
      choice("missingDate", "Record without a readable date", "What becomes of it.", ["report", "skip", "fail"], "report"),
      choice("createdInWindow", "Created and updated since the last poll", "What an unknown record of that kind is.", ["updated", "created"], "updated"),
      flag("caseInsensitiveIds", "Ids differ in more than letter case", "On: ids that differ only in letter case are one record.", false),
    ],
  },
  {
    title: "How far back a poll reads",
    settings: [
      text("pollDelay", "Poll delay (pollDelay)", "Seconds that a record may take until a search finds it.", "0"),
      text("overlap", "Overlap", "Seconds that every poll reads again, such as 60 or 5m.", "60"),
      text("startFrom", "Start from", "What the first poll reports: now, beginning, or an instant.", "now"),
      choice("bound", "Filter includes its bound", "auto believes >= and names that end in gte.", ["auto", "inclusive", "exclusive"], "auto"),
      choice("filterResolution", "Filter resolution", "What the provider's filter really compares.", ["ms", "s", "min", "h", "day"], "the format's"),
      choice("sort", "Sort", "The order that the provider promises.", ["none", "asc", "desc"], "none"),
      choice("drift", "Lists that shift while they are read", "verify overlaps pages or reads again, trust reads once.", ["verify", "trust"], "by pagination"),
      flag("conditional", "Ask only for what changed", "With If-None-Match and If-Modified-Since.", true),
      flag("keepLast", "Keep the last body of every record", "So that events can show what was there before.", false),
      number("concurrency", "Concurrency", "Accepted; resources are polled one after another.", "1"),
    ],
  },
  {
    title: "Deletions without a trace",
    settings: [
      text("sweep.every", "Sweep every", "Reads the complete list: 24h, 90m, or 3 polls."),
      text("sweep.url", "Complete list", "Its URL; needed when the resource's URL is filtered."),
      text("sweep.readUrl", "One record", "The URL of one record, with {id} in it."),
      list("sweep.gone", "Statuses that mean deleted", "404 and 410 when empty."),
      choice("sweep.confirm", "Confirm by", "How a missing record is confirmed.", ["read", "sweeps"], "read, with the URL of one record"),
    ],
  },
  {
    title: "Records that a webhook names",
    settings: [
      text("webhook.readUrl", "Record by id", "The URL of one record, with {id} in it."),
      text("webhook.record", "Record in the answer", "Where it stands; the answer itself when empty."),
      list("webhook.gone", "Statuses of a deleted record", "404 and 410 when empty."),
    ],
  },
];

/** Settings of one pagination type; the others hide. */
export const PAGING: Record<string, readonly string[]> = {
  page: ["page", "start", "size", "more"],
  offset: ["offset", "size", "more"],
  cursor: ["token", "param", "size", "more"],
  link: ["size", "more"],
  next: ["next", "size", "more"],
  none: [],
};

/** The value at a dotted place. */
export function valueAt(resource: Resource, at: string): unknown {
  const [first, second] = at.split(".") as [string, string | undefined];
  const value = resource[first];
  if (second === undefined) return value;
  return typeof value === "object" && value !== null ? (value as Members)[second] : undefined;
}

/** The resource with another value there; `undefined` takes it out, and an object that it leaves empty too. */
export function withValueAt(resource: Resource, at: string, value: unknown): Resource {
  const [first, second] = at.split(".") as [string, string | undefined];
  if (second === undefined) return withMember(resource, first, value);
  const inner = resource[first];
  const members = withMember(typeof inner === "object" && inner !== null ? (inner as Members) : {}, second, value);
  return withMember(resource, first, Object.keys(members).length === 0 ? undefined : members);
}

/** An object with another member; `undefined` takes it out. The others keep their order. */
export function withMember(members: Members, name: string, value: unknown): Members {
  const next = { ...members };
  if (value === undefined) delete next[name];
  else next[name] = value;
  return next;
}

/** The place of a setting as the API writes it, below the resource's. */
export function settingPath(resourcePath: string, at: string): string {
  return at.split(".").reduce(memberPath, resourcePath);
}
