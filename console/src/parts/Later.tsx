import { type ReactNode, Suspense, useState } from "react";

/** Shows its children from the moment on in which they are wanted first: until then their code is not loaded. */
export function Later(props: { when: boolean; children: ReactNode }) {
  const [was, setWas] = useState(props.when);
  if (props.when && !was) setWas(true);
  return was || props.when ? <Suspense fallback={null}>{props.children}</Suspense> : null;
}
