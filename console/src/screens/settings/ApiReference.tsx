// The whole API, from its own document.
import { Anchor, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { Failure } from "../../api/failure";
import { operationsOf } from "../../parts/docs/openapi";
import { Operations } from "../../parts/docs/Operations";
import { Loaded } from "../../parts/Loaded";

/** The panel. */
export default function ApiReference() {
  const query = useQuery({
    queryKey: ["openapi"],
    queryFn: async () => {
      const response = await fetch("/openapi.json").catch(() => undefined);
      if (response === undefined) throw new Failure(0, undefined);
      if (!response.ok) throw new Failure(response.status, undefined);
      return (await response.json()) as unknown;
    },
    staleTime: Infinity,
  });
  return <Loaded query={query}>{(document) => <Reference document={document} />}</Loaded>;
}

function Reference(props: { document: unknown }) {
  const operations = useMemo(() => operationsOf(props.document), [props.document]);
  return (
    <Stack>
      <Text size="sm">
        Everything that this console does, it does with these. Scripts send Authorization: User &lt;secret&gt;, Organization &lt;secret&gt;. The document itself, for generators of clients:{" "}
        <Anchor underline="always" href="/openapi.json" target="_blank" rel="noreferrer">
          /openapi.json
        </Anchor>
      </Text>
      <Operations operations={operations} label="the API" />
    </Stack>
  );
}
