import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "wouter";

import type { Action } from "./Actions";

/** The menu of some actions, with the button that opens it. */
export default function ActionsMenu(props: { actions: readonly Action[]; heading: string | undefined; isOpen: boolean; onChange: (isOpen: boolean) => void; children: ReactElement }) {
  return (
    <Menu position="bottom-end" opened={props.isOpen} onChange={props.onChange}>
      <Menu.Target>{props.children}</Menu.Target>
      <Menu.Dropdown>
        {props.heading === undefined ? null : <Menu.Label>{props.heading}</Menu.Label>}
        {props.actions.map(({ label, to, onClick, isDanger, disabled }) => {
          const look = isDanger ? { c: "var(--mark-bad)" } : {};
          return to === undefined ? (
            <Menu.Item key={label} disabled={disabled} onClick={onClick} {...look}>
              {label}
            </Menu.Item>
          ) : (
            <Menu.Item key={label} component={Link} href={to} disabled={disabled} {...look}>
              {label}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
