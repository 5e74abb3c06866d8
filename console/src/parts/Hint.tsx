import { Tooltip } from "@mantine/core";
import type { RefObject } from "react";

/** A remark at an element, while that is pointed at. It is loaded when something is pointed at first. */
export default function Hint(props: { target: RefObject<HTMLElement | null>; id: string; label: string; isShown: boolean }) {
  return <Tooltip target={props.target} id={props.id} label={props.label} opened={props.isShown} />;
}
