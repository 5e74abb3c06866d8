// A hook of the connector under edit, in its editor.
import { HookEditor } from "../../../parts/hooks/HookEditor";
import type { HookType } from "../../../parts/hooks/Reference";
import type { StepProps } from "../Connector";
import { withItem } from "../document";

/** The hook that stands at a place of the draft. */
export function DraftHook({ draft, mayChange, at, title, type }: StepProps & { at: number; title: string; type: HookType }) {
  const hook = draft.doc.hooks[at];
  if (hook === undefined) return null;
  return (
    <HookEditor
      title={title}
      type={type}
      script={hook.body}
      isLegacy={hook.isLegacy === true}
      path={`hooks[${at}]`}
      mayChange={mayChange}
      onChange={(body) => draft.edit((now) => ({ ...now, hooks: now.hooks.map((one, place) => (place === at ? { ...one, body } : one)) }))}
      onRemove={() => draft.edit((now) => ({ ...now, hooks: withItem(now.hooks, at, undefined) }))}
    />
  );
}
