// Asks before a flow is removed with all of its versions.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";
import { Confirm } from "../../../parts/Confirm";
import { done } from "../../../parts/said";

/** The question. One that a subscription uses stays, and the API says so. */
export function RemoveFlow(props: { isOpen: boolean; monitor: components["schemas"]["Monitor"]; onClose: () => void; onRemoved: () => void }) {
  const { monitor } = props;
  const client = useQueryClient();
  const [, go] = useLocation();
  const remove = useMutation({
    mutationFn: () => told(api.DELETE(`${BASE}/monitors/{id}`, { params: { path: { id: monitor.id } } })),
    onSuccess: () => {
      done(`${monitor.name} is removed.`);
      props.onRemoved();
      void client.invalidateQueries({ queryKey: ["monitors", "list"] });
      go("/monitors");
    },
  });
  const close = () => {
    remove.reset();
    props.onClose();
  };
  return (
    <Confirm opened={props.isOpen} title={`Remove ${monitor.name}?`} act="Remove flow" danger busy={remove.isPending} error={remove.error} onClose={close} onAct={() => remove.mutate()}>
      Its draft and all of its versions are gone for good. A flow that a subscription uses stays: its subscriptions go first.
    </Confirm>
  );
}
