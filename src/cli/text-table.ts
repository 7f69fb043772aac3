/** Text in aligned columns, indented by two: tables, and names with values in as many columns as a terminal has room for. */

const INDENT = '  ';
const GAP = '  ';
const GRID_WIDTH_MAX = 100;
const GRID_COLUMNS_MAX = 3;

/** `texts`: all to the left. `figures`: names to the left, what follows them to the right. */
export type Alignment = 'texts' | 'figures';

export function textTable(rows: readonly (readonly string[])[], alignment: Alignment = 'texts'): string[] {
  return alignedRows(rows, alignment).map((row) => `${INDENT}${row}`.trimEnd());
}

/** Read down the columns. */
export function textGrid(pairs: readonly (readonly [string, string])[]): string[] {
  for (let columns = Math.min(GRID_COLUMNS_MAX, pairs.length); columns > 1; columns--) {
    const lines = Math.ceil(pairs.length / columns);
    const parts = Array.from({ length: Math.ceil(pairs.length / lines) }, (_, i) =>
      alignedRows(pairs.slice(i * lines, (i + 1) * lines), 'texts'),
    );
    const rows = Array.from({ length: lines }, (_, line) => parts.map((part) => part[line]?.trimEnd() ?? ''));
    const table = textTable(rows);
    if (table.every((line) => line.length <= GRID_WIDTH_MAX)) return table;
  }
  return textTable(pairs);
}

/** Rows may have fewer cells than the longest one. */
function alignedRows(rows: readonly (readonly string[])[], alignment: Alignment): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (alignment === 'figures' && i > 0 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join(GAP),
  );
}
