// The token of an instance that was made in this tab: it is shown once, so it is kept until the page is left.
const tokens = new Map<number, string>();

/** Keeps it. */
export function keepToken(instance: number, token: string): void {
  tokens.set(instance, token);
}

/** The token, if the instance was made here. */
export function tokenOf(instance: number): string | undefined {
  return tokens.get(instance);
}
