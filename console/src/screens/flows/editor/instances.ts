// Instances to choose from, and their names.
import { useQuery } from "@tanstack/react-query";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";

type Instance = components["schemas"]["Instance"];

/** The first instances, by name. */
export function useInstances(isWanted = true) {
  return useQuery({
    queryKey: ["instances", "choice"],
    enabled: isWanted,
    queryFn: async () => (await told(api.GET(`${BASE}/instances`, { params: { query: { hydrate: false, pageSize: 200 } } }))) as unknown as Instance[],
  });
}

/** Those to choose from, the connector's own first. */
export function choicesOf(instances: readonly Instance[] | undefined, connector: string | undefined): { value: string; label: string }[] {
  const own = (instance: Instance) => connector === undefined || instance.element.key === connector;
  return [...(instances ?? [])].sort((a, b) => Number(own(b)) - Number(own(a))).map((instance) => ({ value: String(instance.id), label: `${instance.name} (${instance.element.key})${own(instance) ? "" : ", another connector"}` }));
}
