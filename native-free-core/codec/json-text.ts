/**
 * Where the parts of a JSON text stand, in text that JSON.parse has accepted: an event that is refused is kept as it came.
 * Used by json-frame.ts, only when something was refused.
 */

/** Start and end of each element of the array at `at`. */
export function elementRanges(text: string, at: number): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  let i = skipSpace(text, at + 1);
  while (text[i] !== ']') {
    const end = valueEnd(text, i);
    ranges.push([i, end]);
    i = skipSpace(text, end);
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return ranges;
}

/** Where the value of `name` begins in the object at `at`, the last one where there are several; -1 where there is none. */
export function memberStart(text: string, at: number, name: string): number {
  let found = -1;
  let i = skipSpace(text, at + 1);
  while (text[i] !== '}') {
    const keyEnd = valueEnd(text, i);
    const key: unknown = JSON.parse(text.slice(i, keyEnd));
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    if (key === name) found = start;
    i = skipSpace(text, valueEnd(text, start));
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return found;
}

export function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && ' \t\r\n'.includes(text[i])) i++;
  return i;
}

function valueEnd(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return stringEnd(text, at);
  let i = at;
  if (first !== '{' && first !== '[') {
    while (i < text.length && !',]} \t\r\n'.includes(text[i])) i++;
    return i;
  }
  let depth = 0;
  do {
    const c = text[i];
    if (c === '"') {
      i = stringEnd(text, i);
      continue;
    }
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    i++;
  } while (depth > 0);
  return i;
}

function stringEnd(text: string, at: number): number {
  let i = at + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
