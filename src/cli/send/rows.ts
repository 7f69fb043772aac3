/** The rows of a file as JSON texts, one event each, in the file's order. Used by send-file.ts. */

import { isObject, keyMapping, parseJson, type KeyMapping } from '../../../native-free-core/mapping/key-mapping.ts';
import { OperatingError } from '../../errors.ts';
import { csvRows } from './csv-rows.ts';
import { elementsOf, eventsOfFrame } from './json-elements.ts';
import { LINE_CHARACTERS_MAX, type FileFormat, type SourceRow, type RowsOptions } from './row.ts';

/** So much of a file is read before its format is decided: its first line, mostly. */
const HEAD_CHARACTERS_MAX = 1 << 20;

export async function* sourceRows(options: RowsOptions): AsyncIterable<SourceRow> {
  const chunks = options.source.chunks()[Symbol.asyncIterator]();
  let head = '';
  let next = await chunks.next();
  // The format may have to be told from the first line.
  while (next.done !== true) {
    head += next.value;
    if (head.trimStart().includes('\n') || head.length > HEAD_CHARACTERS_MAX) break;
    next = await chunks.next();
  }
  const rest: AsyncIterable<string> = (async function* () {
    yield head;
    for (let more = await chunks.next(); more.done !== true; more = await chunks.next()) yield more.value;
  })();
  if (head.trim() === '' && next.done === true) options.note(`the file is empty: ${options.source.name}`);
  const format = options.format ?? formatOf(options.source.name, head.trimStart());
  if (format === 'csv') yield* csvRows(options, rest);
  else yield* jsonRows(options, format === 'json' ? elementsOf(rest, options.source.name) : linesOf(rest));
}

/** By its name; where that does not tell, JSON begins with a brace or a bracket. */
export function formatOf(name: string, head: string): FileFormat {
  const bare = name.toLowerCase().replace(/\.gz$/, '');
  if (/\.(csv|tsv)$/.test(bare)) return 'csv';
  const isNamedJson = /\.(ndjson|jsonl|json)$/.test(bare);
  if (!isNamedJson && !head.startsWith('{') && !head.startsWith('[')) return 'csv';
  if (head.startsWith('[')) return 'json';
  // A first line that is no value by itself is the beginning of an event over several lines, where the name allows it.
  const line = head.split('\n', 1)[0]!;
  return head.startsWith('{') && !/\.(ndjson|jsonl)$/.test(bare) && parseJson(line) === undefined ? 'json' : 'ndjson';
}

async function* jsonRows(
  { plan, importMap, source }: RowsOptions,
  texts: AsyncIterable<string>,
): AsyncIterable<SourceRow> {
  const toEvent = keyMapping(plan, importMap);
  const hasEvents = plan.message.fields.some(({ name, jsonName }) => name === 'events' || jsonName === 'events');
  for await (const text of texts) {
    const value = parseJson(text);
    if (!isObject(value)) yield { text: JSON.stringify(text), problem: problemOf(text, value) };
    else if (!hasEvents && Array.isArray(value['events'])) {
      for (const event of eventsOfFrame(text, source.name)) yield rowOf(event, toEvent);
    } else if (toEvent === null) yield { text, problem: null };
    else yield rowOf(text, toEvent);
  }
}

function rowOf(text: string, toEvent: KeyMapping | null): SourceRow {
  const event = (toEvent ?? asItStands)(text);
  if (event !== null) return { text: event, problem: null };
  return { text: JSON.stringify(text), problem: problemOf(text, parseJson(text)) };
}

function asItStands(text: string): string | null {
  return isObject(parseJson(text)) ? text : null;
}

const SHOWN_CHARACTERS_MAX = 60;

function problemOf(text: string, value: unknown): string {
  const shown = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
  return value === undefined ? `not JSON, got ${shown}` : `expected an object, got ${shown}`;
}

/** Lines that are not empty, trimmed. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncIterable<string> {
  let open = '';
  for await (const chunk of chunks) {
    const lines = (open + chunk).split('\n');
    open = lines.pop()!;
    if (open.length > LINE_CHARACTERS_MAX) {
      throw new OperatingError(
        'line_too_long',
        `a line is too long: characters_max=${LINE_CHARACTERS_MAX}; the file must hold one event a line`,
      );
    }
    for (const line of lines) {
      const trimmed = line.trim();
      if (trimmed !== '') yield trimmed;
    }
  }
  if (open.trim() !== '') yield open.trim();
}
