/** The rows of a file as JSON texts, one event each, in the file's order. Used by send-file.ts. */

import { parse } from 'csv-parse';
import { Readable } from 'node:stream';
import type { Plan } from '../../../native-free-core/layout/plan.ts';
import { OperatingError } from '../../errors.ts';
import { csvMapping, jsonMapping, type ImportMap } from './mapping.ts';
import type { Source } from './source.ts';

export type FileFormat = 'ndjson' | 'csv';

export interface RowsOptions {
  readonly source: Source;
  readonly format: FileFormat | null;
  readonly delimiter: string;
  readonly plan: Plan;
  readonly importMap: ImportMap;
  /** Told about columns that go nowhere. */
  readonly note: (message: string) => void;
}

/** A line without end would fill the memory. */
const LINE_CHARACTERS_MAX = 16 << 20;

export async function* rowsOf(options: RowsOptions): AsyncIterable<string> {
  const chunks = options.source.chunks()[Symbol.asyncIterator]();
  const first: string[] = [];
  let next = await chunks.next();
  // The format may have to be told from the first character.
  while (next.done !== true && (first.push(next.value), first.join('').trim() === '')) next = await chunks.next();
  const rest: AsyncIterable<string> = (async function* () {
    yield first.join('');
    for (let more = await chunks.next(); more.done !== true; more = await chunks.next()) yield more.value;
  })();
  const format = options.format ?? formatOf(options.source.name, first.join('').trimStart());
  yield* format === 'csv' ? csvRows(options, rest) : jsonRows(options, rest);
}

/** By its name; where that does not tell, JSON begins with a brace. */
export function formatOf(name: string, head: string): FileFormat {
  const bare = name.toLowerCase().replace(/\.gz$/, '');
  if (/\.(csv|tsv)$/.test(bare)) return 'csv';
  if (/\.(ndjson|jsonl|json)$/.test(bare)) return 'ndjson';
  return head.startsWith('{') ? 'ndjson' : 'csv';
}

async function* jsonRows({ plan, importMap }: RowsOptions, chunks: AsyncIterable<string>): AsyncIterable<string> {
  const mapping = jsonMapping(plan, importMap);
  for await (const line of linesOf(chunks)) {
    const parsed = parseObject(line);
    // What is no object cannot be an event: it goes as a string, which the server refuses and keeps.
    if (parsed === null) yield JSON.stringify(line);
    else yield mapping === null ? line : JSON.stringify(mapping(parsed));
  }
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
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

async function* csvRows(
  { source, delimiter, plan, importMap, note }: RowsOptions,
  chunks: AsyncIterable<string>,
): AsyncIterable<string> {
  const parser = parse({
    delimiter,
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LINE_CHARACTERS_MAX,
  });
  const text = Readable.from(chunks, { objectMode: false });
  text.on('error', (error) => parser.destroy(error));
  text.pipe(parser);
  let mapping: ReturnType<typeof csvMapping> | null = null;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (mapping !== null) {
        yield JSON.stringify(mapping.toEvent(record));
        continue;
      }
      mapping = csvMapping(
        plan,
        importMap,
        record.map((name) => name.trim()),
      );
      if (mapping.unused.length === record.length) {
        const advice = 'name the fields in the header, or map them under events: import: in the pipeline';
        throw new OperatingError(
          'no_columns',
          `no column of the file is a field of ${plan.message.name}: columns=${record.join(',')}; ${advice}`,
        );
      }
      if (mapping.unused.length > 0)
        note(`columns that are no fields of ${plan.message.name}, left out: ${mapping.unused.join(', ')}`);
      if (mapping.missing.length > 0)
        note(`columns of the pipeline's import that the file does not have, for: ${mapping.missing.join(', ')}`);
    }
  } catch (cause) {
    if (cause instanceof OperatingError) throw cause;
    throw new OperatingError(
      'csv_malformed',
      `the CSV file cannot be read to its end: file=${source.name} reason=${(cause as Error).message}`,
      { cause },
    );
  } finally {
    text.destroy();
    parser.destroy();
  }
}
