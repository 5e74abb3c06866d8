// JSON as text. Everything that a provider or a callback wrote goes through here or as a text node: never as markup.
import { ActionIcon, Box, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** A value, or a text that may be JSON, printed. Long ones scroll in themselves. */
export function Json(props: { value: unknown; height?: number; label: string }) {
  const text = printed(props.value);
  return (
    <Box pos="relative">
      <Box pos="absolute" right={4} top={4}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <ActionIcon variant="subtle" color="gray" onClick={copy} title={copied ? "Copied" : "Copy"} aria-label={copied ? `Copied ${props.label}` : `Copy ${props.label}`}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          )}
        </CopyButton>
      </Box>
      <Box
        component="pre"
        className="json"
        p="xs"
        pr={40}
        tabIndex={0}
        role="region"
        aria-label={props.label}
        style={{ maxHeight: props.height ?? 360, overflow: "auto", background: "var(--mantine-color-default-hover)", borderRadius: 6 }}
      >
        {text}
      </Box>
    </Box>
  );
}

/** A value as people read it: JSON texts are laid out, everything else stays as it is. */
export function printed(value: unknown): string {
  if (typeof value === "string") {
    const looks = /^\s*[[{]/.test(value);
    if (!looks) return value;
    try {
      return JSON.stringify(JSON.parse(value), null, 2);
    } catch {
      return value;
    }
  }
  return JSON.stringify(value, null, 2) ?? "";
}
