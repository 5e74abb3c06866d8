// What can be called: our path and method, the provider's, and what runs in between.
import { Code, Stack } from "@mantine/core";
import { useState } from "react";

import type { Members } from "../../../api/trying";
import type { StepProps } from "../Connector";
import { type CallResource, withItem } from "../document";
import { PartDialog, type PartField } from "./PartDialog";
import { PartTable } from "./PartTable";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
const KINDS = ["api", "apiNoDocumentation", "onProvision", "onDelete", "onRefresh", "provisionAuthValidation", "oauthOnAuthorizeUrl", "oauthOnTokenExchange", "oauthOnTokenRefresh", "oauthOnTokenRevoke", "oauth1OnTokenRequest", "oauth2ClientCredentials", "onProvisionWebhook", "onDeleteWebhook"] as const;

const RESOURCE: readonly PartField[] = [
  { name: "method", label: "Our method", kind: METHODS, required: true },
  { name: "path", label: "Our path", required: true, about: "Such as /hubs/crm/contacts/{id}" },
  { name: "vendorMethod", label: "The provider's method", kind: METHODS },
  { name: "vendorPath", label: "The provider's path", about: "Below the base URL" },
  { name: "type", label: "What it is for", kind: KINDS },
  { name: "rootKey", label: "Where the records stand", about: "request|response, such as |data.items" },
  { name: "nextPageKey", label: "Where the next page is named" },
  { name: "paginationType", label: "Who pages", kind: ["VENDOR_SUPPORTED", "VENDOR_NOT_SUPPORTED"] },
  { name: "nextResource", label: "Called next", about: "GET /path, or an operation" },
  { name: "operationId", label: "Operation" },
  { name: "description", label: "Description", kind: "long" },
];

/** The step. */
export default function ResourcesStep({ draft, mayChange }: StepProps) {
  const { doc, edit } = draft;
  const [open, setOpen] = useState<{ at: number; value: Members }>();
  return (
    <Stack>
      <PartTable<CallResource>
        title="Resources"
        about="Calls of ours and what they are at the provider. Parameters, hooks and the model of a resource are edited as Code."
        add="Add resource"
        list={doc.resources}
        path="resources"
        name={({ method, path }) => `${method ?? ""} ${path ?? ""}`}
        columns={[
          { title: "Ours", shows: ({ method, path }) => <Code>{`${method ?? ""} ${path ?? ""}`}</Code> },
          { title: "The provider's", shows: (one) => <Code>{`${String(one["vendorMethod"] ?? one.method ?? "")} ${String(one["vendorPath"] ?? "")}`}</Code> },
          { title: "For", shows: (one) => String(one["type"] ?? "api") },
          { title: "Records at", shows: (one) => <span className="mono">{String(one["rootKey"] ?? "")}</span> },
        ]}
        onAdd={() => setOpen({ at: doc.resources.length, value: { type: "api", method: "GET", path: doc["hub"] ? `/hubs/${String(doc["hub"])}/` : "/", vendorMethod: "GET", vendorPath: "/", parameters: [], hooks: [] } })}
        onOpen={(at) => setOpen({ at, value: doc.resources[at] ?? {} })}
        onRemove={(at) => edit((now) => ({ ...now, resources: withItem(now.resources, at, undefined) }))}
        mayChange={mayChange}
      />
      <PartDialog
        title="Resource"
        fields={RESOURCE}
        value={open?.value}
        onClose={() => setOpen(undefined)}
        onTake={(value) => {
          if (open) edit((now) => ({ ...now, resources: withItem(now.resources, open.at, value as CallResource) }));
          setOpen(undefined);
        }}
      />
    </Stack>
  );
}
