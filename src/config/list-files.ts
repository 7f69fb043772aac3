/**
 * The `lists:` section: files of keys, one a line, that rules ask with `in list.<name>`. Their entries are no part of the
 * pipeline's version: an operator replaces them while the engine runs.
 */

import type { ListPlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import type { ProtoReader } from './proto/index.ts';
import type { Path } from './source.ts';
import { countOf } from './units.ts';

/** Two halves of 16 bytes a slot, two slots an entry at most four: 1 GiB. */
const ENTRIES_MAX = 8_000_000;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** What is wrong with a list's text, and in which of its lines; or its entries. */
export type ListText = { readonly entries: readonly string[] } | { readonly line: number; readonly message: string };

/** `read` finds a file that the pipeline names. */
export function compileLists(c: Compilation, read: ProtoReader): ListPlan[] {
  return Object.entries(c.declaration.lists ?? {}).map(([name, list]) => {
    const path: Path = ['lists', name];
    const max = countOf(list.max);
    if (max > ENTRIES_MAX) c.problems.add([...path, 'max'], `max must lie between 1 and ${ENTRIES_MAX}`);
    const file = read(list.file, null);
    if (file === null) c.problems.add([...path, 'file'], `no such file: ${list.file}`);
    const parsed = file === null ? { entries: [] } : parseList(file.text, list.type, max);
    if ('message' in parsed) c.problems.add([...path, 'file'], `${list.file}, line ${parsed.line}: ${parsed.message}`);
    return { name, file: list.file, type: list.type, max, entries: 'entries' in parsed ? parsed.entries : [] };
  });
}

/** One entry a line; white space around it, empty lines and lines that begin with # do not count. */
export function parseList(text: string, type: ListPlan['type'], max: number): ListText {
  const entries = new Set<string>();
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    if (type === 'int' && !isInteger(entry)) return { line: i + 1, message: `not an integer of 64 bits: ${entry}` };
    entries.add(type === 'int' ? String(BigInt(entry)) : entry);
    if (entries.size > max) return { line: i + 1, message: `more than max: ${max} entries` };
  }
  return { entries: [...entries] };
}

function isInteger(entry: string): boolean {
  if (!/^-?\d{1,20}$/.test(entry)) return false;
  const value = BigInt(entry);
  return value >= INT64_MIN && value <= UINT64_MAX;
}
