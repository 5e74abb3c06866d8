// What came of something that was done, said once and in passing.
import { notifications } from "@mantine/notifications";

import { asFailure } from "../api/failure";

/** Says that it was done. */
export function done(message: string): void {
  notifications.show({ message, color: "teal", autoClose: 5_000, closeButtonProps: { "aria-label": "Dismiss" } });
}

/** Says why it was not, in the words of the API; it stays until it is dismissed. */
export function refused(error: unknown): void {
  notifications.show({ title: "It was not done", message: asFailure(error).message, color: "red", autoClose: false, closeButtonProps: { "aria-label": "Dismiss" } });
}
