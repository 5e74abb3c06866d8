// The API's search clause for deliveries.

/** Which deliveries: their state, and if said their instance and their endpoint's address. */
export interface Which {
  status: string;
  instance?: number | undefined;
  url?: string | undefined;
}

/** As the API reads it; a quote within a value is doubled. */
export function clause(which: Which): string {
  const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const parts = [`channel=${quoted("webhook")}`, `status=${quoted(which.status)}`];
  if (which.instance !== undefined) parts.push(`instanceId=${quoted(String(which.instance))}`);
  if (which.url) parts.push(`config.url=${quoted(which.url)}`);
  return parts.join(" and ");
}
