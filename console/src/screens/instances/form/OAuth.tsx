// The way over the provider's own pages: there with the address that the API makes, back with what it brought.
import { Alert, Button, Group, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../../api/client";
import { Refusal } from "../../../parts/Loaded";
import { type Doc, valueOf } from "../../connectors/document";
import type { Form } from "./document";

const WAITING = "turnstone.oauth";

/** Where the provider sends people back to. */
export function backHere(): string {
  return `${window.location.origin}/instances/new`;
}

/** What came back, once: the form that it belongs to, and the parameters. */
export function broughtBack(search: string): { form: string; data: Record<string, string> } | undefined {
  const found = new URLSearchParams(search);
  const isBack = ["code", "error", "oauth_verifier"].some((name) => found.has(name));
  const form = window.sessionStorage.getItem(WAITING);
  return isBack && form !== null ? { form, data: Object.fromEntries(found) } : undefined;
}

/** Forgets that somebody is on the way. */
export function arrived(): void {
  window.sessionStorage.removeItem(WAITING);
}

/** Signing in at the provider. */
export function OAuth(props: { form: Form; connector: Doc }) {
  const { form, connector } = props;
  const callback = form.text("oauth.callback.url") || valueOf(connector, "oauth.callback.url") || backHere();
  const isOurs = callback === backHere();
  const go = useMutation({
    mutationFn: () => {
      // Every key of the connector that the address may be filled in with.
      const own = Object.fromEntries(Object.entries(form.doc.configuration).filter(([key, value]) => !key.startsWith("event.") && typeof value === "string"));
      const named = { apiKey: form.text("oauth.api.key"), apiSecret: form.text("oauth.api.secret"), callbackUrl: callback };
      const body = Object.fromEntries(Object.entries({ ...own, ...named }).filter(([, value]) => value !== "" && value !== "********"));
      return told(api.POST(`${BASE}/elements/{keyOrId}/oauth/url`, { params: { path: { keyOrId: connector.key } }, body }));
    },
    onSuccess: ({ oauthUrl }) => {
      // Kept before the page is left: the form is read again when the provider sends the person back.
      form.edit((doc) => ({ ...doc, configuration: { ...doc.configuration, "oauth.callback.url": callback } }));
      if (isOurs) {
        window.sessionStorage.setItem(WAITING, form.id);
        window.location.assign(oauthUrl);
      } else {
        window.open(oauthUrl, "_blank", "noopener,noreferrer");
      }
    },
  });
  if (form.doc.providerData !== undefined) {
    return (
      <Alert color="teal" title="The provider allowed the access">
        <Group justify="space-between">
          <Text size="sm">What it brought is used when the instance is created. It is good for a few minutes.</Text>
          <Button size="xs" variant="default" onClick={() => form.edit(({ providerData: _used, ...doc }) => doc)}>
            Sign in again
          </Button>
        </Group>
      </Alert>
    );
  }
  return (
    <>
      {go.error ? <Refusal error={go.error} title="The provider cannot be asked yet" /> : null}
      <Group align="center">
        <Button variant="default" loading={go.isPending} onClick={() => go.mutate()}>
          Sign in at the provider
        </Button>
        <Text size="sm" c="dimmed" style={{ flex: "1 1 18rem" }}>
          {isOurs ? (
            <>
              Register <span className="mono">{callback}</span> as the callback of your app. What you typed here is kept in this tab until you are back.
            </>
          ) : (
            <>
              The provider sends you back to <span className="mono">{callback}</span>, which is not this console. Open the sign-in from there, or copy the address that you end at into the field below.
            </>
          )}
        </Text>
      </Group>
      {isOurs ? null : <Pasted onTake={(providerData) => form.edit((doc) => ({ ...doc, providerData }))} />}
    </>
  );
}

/** What another page was given, typed in here. */
function Pasted(props: { onTake: (data: Record<string, string>) => void }) {
  const [text, setText] = useState("");
  const found = Object.fromEntries(new URLSearchParams(text.includes("?") ? text.slice(text.indexOf("?") + 1) : text));
  const isWhole = "code" in found || "oauth_verifier" in found;
  return (
    <Group align="flex-end">
      <TextInput label="Address that the provider sent you to" placeholder="https://app.example.com/back?code=…&state=…" value={text} onChange={(event) => setText(event.currentTarget.value)} error={text !== "" && !isWhole ? "There is no code in it." : undefined} style={{ flex: "1 1 20rem" }} />
      <Button variant="default" disabled={!isWhole} onClick={() => props.onTake(found)}>
        Use it
      </Button>
    </Group>
  );
}
