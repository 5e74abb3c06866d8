// What a hook gets and gives, beside its editor.
import { Code, Stack, Table, Text, Title } from "@mantine/core";

/** When a hook runs. */
export type HookType = "preRequest" | "postRequest" | "event";

interface Row {
  name: string;
  about: string;
}

const GETS: Record<HookType, readonly Row[]> = {
  event: [
    { name: "events", about: "The members of what the provider sent" },
    { name: "events.eventHeaders", about: "Its headers, in any letter case" },
    { name: "events.eventId", about: "The name of the delivery" },
    { name: "configuration", about: "The instance's settings" },
  ],
  preRequest: [
    { name: "request_vendor_headers", about: "Headers, by name" },
    { name: "request_vendor_parameters", about: "Query parameters" },
    { name: "request_vendor_body, request_vendor_body_map", about: "The body as text, and as an object" },
    { name: "request_vendor_path, request_vendor_url, request_vendor_method", about: "Where it goes" },
    { name: "object_name, meta_data, configuration", about: "What is called, and the instance's settings" },
  ],
  postRequest: [
    { name: "response_body, response_headers, response_status_code", about: "The answer" },
    { name: "response_iserror", about: "Whether the provider refused" },
    { name: "object_name, configuration", about: "What was called, and the instance's settings" },
  ],
};

const GIVES: Record<HookType, readonly Row[]> = {
  event: [
    { name: "event_type", about: "CREATED, UPDATED, DELETED or UNKNOWN" },
    { name: "event_object_id", about: "A text or a number" },
    { name: "event_object_type", about: "Such as contacts" },
    { name: "event_date", about: "ISO; a number is milliseconds since 1970; now when absent" },
  ],
  preRequest: [
    { name: "request_vendor_headers", about: "Replaces those named; null removes one" },
    { name: "request_vendor_parameters", about: "Replaces all of them" },
    { name: "request_vendor_body", about: "Replaces the body" },
    { name: "request_vendor_path, request_vendor_url, request_vendor_method", about: "Replace where it goes" },
    { name: "continue: false", about: "Nothing is sent" },
    { name: "response_error", about: "The call fails with these words" },
  ],
  postRequest: [
    { name: "response_body, response_headers, response_status_code", about: "Replace the answer" },
    { name: "response_error", about: "The call fails with these words" },
    { name: "configuration", about: "Its members are stored with the instance" },
  ],
};

const EXAMPLE: Record<HookType, string> = {
  event: `done({ events: [{
  event_type: "UPDATED",
  event_object_id: events.contact.id,
  event_object_type: "contacts",
  event_date: events.contact.updated
}] });`,
  preRequest: `done({ request_vendor_headers: {
  "X-Key": configuration["api.token"]
} });`,
  postRequest: `done({ response_body: response_body.results });`,
};

const LIBRARIES: readonly Row[] = [
  { name: "done({…})", about: "Hands over the result; the first call counts, done() changes nothing" },
  { name: "console.log(…)", about: "Kept with the run" },
  { name: "CE.hmac(algorithm)(encoding)(secret, text)", about: "md5, sha1, sha224, sha256, sha384, sha512; hex, base64, base64url" },
  { name: "CE.md5, CE.b64, CE.decode64", about: "Of a text" },
  { name: "CE.randomString(), CE.randomEmail()", about: "Follow the call's seed" },
  { name: 'require("lodash"), require("util")', about: "No network, no timers" },
];

/** The function reference of one type. */
export function Reference(props: { type: HookType }) {
  return (
    <Stack gap="xs" component="aside" aria-label="Function reference">
      <Title order={4}>Function reference</Title>
      <Text size="sm">The script is the body of a function. Inputs are ordinary variables; the result goes to done.</Text>
      <Rows title="It gets" rows={GETS[props.type]} />
      <Rows title={props.type === "event" ? "Each event that it hands over" : "It may hand over"} rows={GIVES[props.type]} />
      <Code block tabIndex={0}>
        {EXAMPLE[props.type]}
      </Code>
      <Rows title="Functions" rows={LIBRARIES} />
      <Text size="xs" c="dimmed">
        5 s, 256 MiB, and at most 1,000 events of one webhook.
      </Text>
    </Stack>
  );
}

function Rows(props: { title: string; rows: readonly Row[] }) {
  return (
    <Table verticalSpacing={3} withRowBorders={false} fz="xs" layout="fixed">
      <Table.Caption style={{ captionSide: "top", textAlign: "left", marginTop: 0, fontWeight: 600 }}>{props.title}</Table.Caption>
      <Table.Tbody>
        {props.rows.map(({ name, about }) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" className="mono" fw={400} style={{ verticalAlign: "top" }}>
              {name}
            </Table.Th>
            <Table.Td>{about}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
