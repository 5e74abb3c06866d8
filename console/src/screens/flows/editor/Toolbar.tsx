// What can be done with a flow.
import { ActionIcon, Button, Group } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconHistory, IconPlayerPlay, IconRocket } from "@tabler/icons-react";

import type { components } from "../../../api/schema";
import { Actions } from "../../../parts/Actions";
import { Mark } from "../../../parts/Mark";
import type { Checked } from "./useCheck";
import type { Edited } from "./useDocument";

/** The buttons at the head of a flow. */
export function Toolbar(props: {
  monitor: components["schemas"]["Monitor"] | undefined;
  isFixed: boolean;
  isOld: boolean;
  mayRun: boolean;
  edited: Edited;
  checked: Checked;
  isSaving: boolean;
  /** A text was typed that cannot be read yet. */
  isUnread: boolean;
  onSave: () => void;
  onSaveAs: () => void;
  onOpen: (dialog: "run" | "deploy" | "history" | "remove") => void;
}) {
  const { monitor, isFixed, edited, checked } = props;
  const word = checked.faults > 0 ? `${checked.faults} ${checked.faults === 1 ? "fault" : "faults"}` : checked.warnings > 0 ? `${checked.warnings} ${checked.warnings === 1 ? "warning" : "warnings"}` : "no faults";
  return (
    <Group gap="xs">
      {props.isOld ? null : (
        <span role="status" aria-label="State of the flow">
          <Mark word={word} tone={checked.faults > 0 ? "bad" : checked.warnings > 0 ? "warn" : "good"} />
        </span>
      )}
      {isFixed ? null : (
        <>
          <ActionIcon variant="default" size="lg" aria-label="Undo" disabled={edited.undo === undefined} onClick={edited.undo}>
            <IconArrowBackUp size={18} />
          </ActionIcon>
          <ActionIcon variant="default" size="lg" aria-label="Redo" disabled={edited.redo === undefined} onClick={edited.redo}>
            <IconArrowForwardUp size={18} />
          </ActionIcon>
        </>
      )}
      {props.mayRun ? (
        <Button variant="default" leftSection={<IconPlayerPlay size={16} />} onClick={() => props.onOpen("run")}>
          Run
        </Button>
      ) : null}
      {monitor === undefined ? null : (
        <Button variant="default" leftSection={<IconHistory size={16} />} onClick={() => props.onOpen("history")}>
          Run history
        </Button>
      )}
      {isFixed || monitor === undefined ? null : (
        <Button variant="default" leftSection={<IconRocket size={16} />} onClick={() => props.onOpen("deploy")}>
          Deploy
        </Button>
      )}
      {isFixed ? null : (
        <Button loading={props.isSaving} disabled={monitor !== undefined && !edited.isChanged && !props.isUnread} onClick={props.onSave}>
          Save
        </Button>
      )}
      {monitor === undefined ? null : (
        <Actions
          label="More for the flow"
          variant="default"
          size="lg"
          actions={[
            !isFixed && { label: "Rename", onClick: props.onSaveAs },
            { label: "Subscribe an instance", to: `/subscriptions/new?monitor=${monitor.id}`, disabled: monitor.version == null },
            { label: "Its subscriptions", to: `/monitors?monitor=${monitor.id}` },
            !isFixed && { label: "Remove…", onClick: () => props.onOpen("remove"), isDanger: true },
          ]}
        />
      )}
    </Group>
  );
}
