// A table that turns into cards where the window is narrow. The roles are said, since the style takes them away.
import { Table, VisuallyHidden } from "@mantine/core";
import type { Key, ReactNode } from "react";

import "./parts.css";

/** One column: what stands above it, and what it shows of a row. */
export interface Column<T> {
  head: string;
  cell: (row: T) => ReactNode;
  /** Its head is for who does not see the table. */
  quiet?: boolean;
  width?: string;
}

/** The rows of a list. Where they are cards, the columns of `lead` stand together in their first line, without their heads. */
export function Rows<T>(props: { label: string; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => Key; className?: (row: T) => string | undefined; lead?: readonly string[] }) {
  return (
    <Table className="rows" aria-label={props.label} role="table">
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {props.columns.map((column) => (
            <Table.Th key={column.head} role="columnheader" style={column.width ? { width: column.width } : undefined}>
              {column.quiet ? <VisuallyHidden>{column.head}</VisuallyHidden> : column.head}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {props.rows.map((row) => (
          <Table.Tr key={props.keyOf(row)} role="row" className={props.className?.(row)}>
            {props.columns.map((column) => (
              <Table.Td key={column.head} role="cell" data-head={column.quiet ? undefined : column.head} data-lead={props.lead?.includes(column.head) || undefined}>
                {column.cell(row)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
