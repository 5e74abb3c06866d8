// Why the API refused something, in its own words, and how faults find their fields.
import type { components } from "./schema";

/** One fault of a document: where, what, and what helps. */
export type Fault = components["schemas"]["Fault"];

/** A refusal of the API, or a server that could not be reached (`status` 0). */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: Fault[];
  readonly requestId: string | undefined;

  constructor(status: number, body: Partial<components["schemas"]["Error"]> | undefined) {
    super(body?.message ?? (status === 0 ? "The server cannot be reached; what you typed is kept." : `The server answered ${status}.`));
    this.status = status;
    this.code = body?.code ?? (status === 0 ? "unreachable" : "refused");
    this.faults = body?.faults ?? [];
    this.requestId = body?.requestId;
  }
}

/** Any thrown thing as a failure. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof TypeError) return new Failure(0, undefined);
  return new Failure(0, { message: thrown instanceof Error ? thrown.message : String(thrown) });
}

/** A fault as one sentence. */
export function sentence(fault: Fault): string {
  return fault.remedy ? `${fault.problem}: ${fault.remedy}` : fault.problem;
}

/** The sentences of the faults at a path, or below it when `deep`. Paths are written as the API writes them. */
export function faultsAt(faults: readonly Fault[], path: string, deep = false): string | undefined {
  const found = faults.filter((fault) => fault.path === path || (deep && fault.path.startsWith(path)));
  return found.length > 0 ? found.map(sentence).join(" ") : undefined;
}
