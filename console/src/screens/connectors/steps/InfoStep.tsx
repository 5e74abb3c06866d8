import { Stack, Switch, TagsInput } from "@mantine/core";

import { useFault } from "../../../parts/faults";
import type { StepProps } from "../Connector";
import { MemberField } from "./fields";

/** What the connector is called, and whether instances of it can be made. */
export default function InfoStep(props: StepProps) {
  const { draft, mayChange } = props;
  const tags = draft.doc["tags"];
  return (
    <Stack maw={640}>
      <MemberField {...props} member="name" label="Name" />
      <MemberField {...props} member="key" label="Key" description="It stands in addresses and in every event, so it stays. A clone gets another one." readOnly />
      <MemberField {...props} member="description" label="Description" long />
      <MemberField {...props} member="hub" label="Hub" description="The kind of provider: crm, finance, helpdesk. Calls ignore it." />
      <TagsInput label="Tags" value={Array.isArray(tags) ? tags.map(String) : []} onChange={(next) => draft.edit((doc) => ({ ...doc, tags: next }))} disabled={!mayChange} error={useFault("tags")} placeholder="type one, then Enter" />
      <Switch label="Active" description="Off: no new instances of it can be made; those that there are go on." checked={draft.doc["active"] !== false && draft.doc["active"] !== "false"} onChange={({ currentTarget: { checked } }) => draft.edit((doc) => ({ ...doc, active: checked }))} disabled={!mayChange} />
    </Stack>
  );
}
