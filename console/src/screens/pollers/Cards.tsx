// What the cards of a monitor's run got and gave, in the order in which they began.
import { Accordion, Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Sentence } from "../../parts/Sentence";
import { duration } from "../../parts/When";

type Card = components["schemas"]["CardBody"];

/** Cards that are shown before somebody asks for all: a loop may have thousands. */
const SHOWN = 12;

/** Them. */
export function Cards(props: { run: string }) {
  const [shown, setShown] = useState(SHOWN);
  const query = useQuery({ queryKey: ["run", props.run, "trace"], queryFn: () => told(api.GET(`${BASE}/runs/{id}/trace`, { params: { path: { id: props.run } } })), staleTime: 60_000 });
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="cards">
      <Title order={2} id="cards" mb="sm">
        The cards
      </Title>
      <Loaded query={query}>
        {(trace) => (
          <Stack>
            {trace.failedCard ? (
              <Alert color="red" title={`${trace.failedCard.card} failed`}>
                <Sentence text={trace.failedCard.message} />
                {trace.failedCard.raw ? <Json value={trace.failedCard.raw} label="The provider's words" height={160} /> : null}
              </Alert>
            ) : null}
            <Facts
              facts={[
                ["Cards that ran", trace.cardsRun],
                ["Requests", trace.requests],
                ["Cursor before", <Json key="before" value={trace.cursorBefore ?? null} label="Cursor before" height={120} />],
                ["Cursor after", <Json key="after" value={trace.cursorAfter ?? null} label="Cursor after" height={120} />],
              ]}
            />
            {(trace.cards ?? []).length === 0 ? (
              <Text c="dimmed">No cards are kept of this run.</Text>
            ) : (
              <Accordion multiple chevronPosition="left" variant="contained">
                {(trace.cards ?? []).slice(0, shown).map((card, index) => (
                  <Accordion.Item key={index} value={String(index)}>
                    <Accordion.Control>
                      <Head card={card} number={index + 1} />
                    </Accordion.Control>
                    <Accordion.Panel>
                      <Stack gap="sm">
                        {card.error ? (
                          <Text style={{ color: "var(--mark-bad)" }}>
                            <Sentence text={card.error} />
                          </Text>
                        ) : null}
                        <Text size="sm" fw={600}>
                          Inputs
                        </Text>
                        <Json value={card.inputs ?? null} label={`Inputs of ${card.card}`} height={240} />
                        <Text size="sm" fw={600}>
                          Outputs
                        </Text>
                        <Json value={card.outputs ?? null} label={`Outputs of ${card.card}`} height={240} />
                        {card.raw ? <Json value={card.raw} label={`The provider's words to ${card.card}`} height={160} /> : null}
                      </Stack>
                    </Accordion.Panel>
                  </Accordion.Item>
                ))}
              </Accordion>
            )}
            {(trace.cards ?? []).length > shown ? (
              <Button variant="default" size="xs" onClick={() => setShown(Number.POSITIVE_INFINITY)}>
                Show all {(trace.cards ?? []).length} cards
              </Button>
            ) : null}
            {trace.leftOut ? <Text size="sm" c="dimmed">{trace.leftOut} further cards are not kept.</Text> : null}
          </Stack>
        )}
      </Loaded>
    </Paper>
  );
}

function Head(props: { card: Card; number: number }) {
  const { card } = props;
  const took = card.startedAt && card.finishedAt ? duration((Date.parse(card.finishedAt) - Date.parse(card.startedAt)) / 1000) : undefined;
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">
        {props.number}
      </Text>
      <Text size="sm" fw={600}>
        {card.card || card.kind}
      </Text>
      <Text size="sm" c="dimmed">
        {card.kind}
        {card.flow ? <Sentence text={` in ${card.flow}`} /> : ""}
        {card.index === null || card.index === undefined ? "" : `, item ${card.index + 1}`}
        {took ? `, ${took}` : ""}
      </Text>
      {card.error ? <Mark word="failed" /> : null}
    </Group>
  );
}
