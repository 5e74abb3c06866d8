// The list of cards to choose from, by group, with what each does.
import { Badge, Group, ScrollArea, Stack, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

import { Dialog } from "../../../parts/Dialog";
import { GroupIcon } from "../canvas/icons";
import { choices, typeLabel } from "../model/catalogue";
import { fullLabel } from "../model/document";

/** Asks which card to put in. */
export function AddCard(props: { isOpen: boolean; isMain: boolean; onClose: () => void; onPick: (id: string) => void }) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Add a card" size="lg" scrollAreaComponent={ScrollArea.Autosize}>
      {props.isOpen ? <Choice {...props} /> : null}
    </Dialog>
  );
}

function Choice(props: { isMain: boolean; onPick: (id: string) => void }) {
  const [words, setWords] = useState("");
  const groups = choices(words, props.isMain);
  const first = groups[0]?.cards[0];
  return (
    <Stack gap="sm">
      <TextInput data-autofocus label="Search cards" placeholder="object get, now, call flow …" leftSection={<IconSearch size={16} aria-hidden />} value={words} onChange={(event) => setWords(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && words.trim() !== "" && first !== undefined && props.onPick(first.id)} />
      {groups.length === 0 ? <Text c="dimmed">No card has these words. Try a shorter one.</Text> : null}
      {groups.map(({ group, cards }) => (
        <section key={group} aria-label={group}>
          <Group gap={6} mb={4}>
            <GroupIcon group={group} />
            <Title order={3} size="h5">
              {group}
            </Title>
          </Group>
          {cards.map((card) => (
            <UnstyledButton key={card.id} className="flow-pick" onClick={() => props.onPick(card.id)}>
              <Group gap={6} wrap="wrap">
                <Text fw={600} size="sm">
                  {fullLabel(card)}
                </Text>
                {card.outputs.length > 0 ? (
                  <Badge variant="default" tt="none" fw={400} size="sm">
                    gives {card.outputs.length === 1 ? typeLabel(card.outputs[0]?.type ?? "") : `${card.outputs.length} outputs`}
                  </Badge>
                ) : null}
              </Group>
              <Text size="xs" c="dimmed">
                {card.about}
              </Text>
            </UnstyledButton>
          ))}
        </section>
      ))}
    </Stack>
  );
}
