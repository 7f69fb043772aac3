/** Names with values, in as many aligned columns as a terminal has room for. Used by text.ts. */

const WIDTH_MAX = 100;
const COLUMNS_MAX = 3;

/** Lines, indented by two; read down the columns. */
export function grid(pairs: readonly (readonly [string, string])[]): string[] {
  const lines = pairs.length;
  for (let columns = Math.min(COLUMNS_MAX, lines); columns > 1; columns--) {
    const rows = Math.ceil(lines / columns);
    const cells = aligned(pairs, rows);
    const widths = cells.map((column) => Math.max(...column.map((cell) => cell.length)));
    if (widths.reduce((sum, width) => sum + width + 2, 0) > WIDTH_MAX) continue;
    return Array.from({ length: rows }, (_, row) =>
      cells
        .map((column, i) => `  ${(column[row] ?? '').padEnd(widths[i]!)}`)
        .join('')
        .trimEnd(),
    );
  }
  return aligned(pairs, lines)
    .flat()
    .map((cell) => `  ${cell}`);
}

/** Columns of so many rows, names padded to their column's longest. */
function aligned(pairs: readonly (readonly [string, string])[], rows: number): string[][] {
  const columns: string[][] = [];
  for (let from = 0; from < pairs.length; from += rows) {
    const part = pairs.slice(from, from + rows);
    const width = Math.max(...part.map(([name]) => name.length));
    columns.push(part.map(([name, value]) => `${name.padEnd(width)}  ${value}`));
  }
  return columns;
}
