// What is said in passing, and who is told of it.
import { asFailure } from "../api/failure";

/** One thing that is said. */
export interface Said {
  id: number;
  isBad: boolean;
  message: string;
}

const AT_ONCE = 4;
const listeners = new Set<() => void>();
let all: readonly Said[] = [];
let count = 0;

function become(next: readonly Said[]): void {
  all = next;
  for (const listener of listeners) listener();
}

function say(isBad: boolean, message: string): void {
  become([...all, { id: ++count, isBad, message }].slice(-AT_ONCE));
}

/** Says that it was done. */
export function done(message: string): void {
  say(false, message);
}

/** Says why it was not, in the words of the API; it stays until it is dismissed. */
export function refused(error: unknown): void {
  say(true, asFailure(error).message);
}

/** Takes one away. */
export function drop(id: number): void {
  become(all.filter((one) => one.id !== id));
}

/** Calls whenever something else is said. */
export function heard(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** What is said now. */
export function saidNow(): readonly Said[] {
  return all;
}
