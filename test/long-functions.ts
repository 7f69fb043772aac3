/**
 * Finds functions and tests that are too long, by prettier's indentation; a `describe` that only groups tests does not
 * count. For tidy.test.ts.
 */

/** A function, a test, or the end of a table of cases with the test behind it. */
const BEGIN =
  /^(\s*)(?:(?:export )?(?:async )?function\*? (\w+)|(?:(?:test|it)(?:\.\w+)*(?:\(.*\))?|\]\))\(\s*(['"`].*?['"`])?).*[{(]$/;

/** `name` of each that has more than `linesMax` lines. */
export function longFunctions(text: string, linesMax: number): string[] {
  const lines = text.split('\n');
  const found: string[] = [];
  lines.forEach((line, i) => {
    const begin = BEGIN.exec(line);
    if (begin === null) return;
    const indent = begin[1]!;
    const isTable = line.startsWith(`${indent}])`);
    const table = lines
      .slice(0, i)
      .findLast((one) => one.startsWith(indent) && one[indent.length] !== ' ' && one.endsWith('['));
    if (isTable && (table === undefined || !/^\s*(test|it)\b/.test(table))) return;
    // Not the end of parameters, behind which the body begins.
    const isEnd = (one: string): boolean => /^[})]/.test(one.slice(indent.length)) && !one.endsWith('{');
    const length = lines.slice(i + 1).findIndex((one) => one.startsWith(indent) && isEnd(one)) + 2;
    const name = begin[2] ?? begin[3] ?? lines[i + 1]!.trim().replace(/,$/, '');
    if (length > linesMax) found.push(name.replaceAll(/^['"`]|['"`]$/g, ''));
  });
  return found;
}
