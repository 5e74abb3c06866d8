import { PasswordInput, type PasswordInputProps } from "@mantine/core";

/** A field for a secret. The library's does not tell who cannot see it that what it holds is wrong. */
export function Secret(props: PasswordInputProps) {
  return <PasswordInput aria-invalid={props.error ? true : undefined} autoComplete="off" {...props} />;
}
