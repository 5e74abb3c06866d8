// One part of a connector (an entry, a parameter, a resource) as a form or as JSON, which follow each other.
import { lazy } from "react";

import type { Members } from "../../../api/trying";
import { Dialog } from "../../../parts/Dialog";
import { Later } from "../../../parts/Later";

const PartForm = lazy(() => import("./PartForm"));

/** A member of a part. */
export interface PartField {
  name: string;
  label: string;
  kind?: "text" | "long" | "flag" | "number" | readonly string[];
  about?: string;
  required?: boolean;
}

/** Edits a copy; it comes back when it is taken over. */
export function PartDialog(props: { title: string; fields: readonly PartField[]; value: Members | undefined; onClose: () => void; onTake: (value: Members) => void }) {
  return (
    <Dialog opened={props.value !== undefined} onClose={props.onClose} title={props.title} size="xl">
      <Later when={props.value !== undefined}>{props.value ? <PartForm {...props} value={props.value} /> : null}</Later>
    </Dialog>
  );
}
