// Sends one delivery again.
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { done, refused } from "../../parts/said";
import { lookAgain } from "./again";

/** States in which a delivery can be sent again. */
const WAITING = ["dead", "queued", "retry"];

/** The button; nothing where the delivery does not wait. */
export function Redeliver(props: { delivery: Pick<components["schemas"]["Delivery"], "id" | "status">; size?: string }) {
  const { id, status } = props.delivery;
  const client = useQueryClient();
  const mayAct = useMay("member");
  const act = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/deliveries/{id}/redeliver`, { params: { path: { id } } })),
    onSuccess: () => {
      done(`Notification ${id} is sent again.`);
      lookAgain(client);
    },
    onError: refused,
  });
  if (!WAITING.includes(status)) return null;
  return (
    <Button size={props.size ?? "xs"} variant={props.size ? "filled" : "default"} loading={act.isPending} disabled={!mayAct} title={mayAct ? undefined : "needs a member"} onClick={() => act.mutate()} aria-label={`Redeliver ${id}`}>
      Redeliver
    </Button>
  );
}
