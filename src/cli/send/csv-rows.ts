/**
 * The rows of a CSV file as events. A row that has not as many values as the header has columns is no event: where its
 * values belong nobody knows. Used by rows.ts.
 */

import { parse } from 'csv-parse';
import { Readable } from 'node:stream';
import { columnMapping, type ColumnMapping } from '../../../native-free-core/mapping/column-mapping.ts';
import { OperatingError } from '../../errors.ts';
import { LINE_CHARACTERS_MAX, type SourceRow, type RowsOptions } from './row.ts';

interface CsvRecord {
  readonly record: readonly string[];
  /** As it stands in the file. */
  readonly raw: string;
  readonly info: { readonly lines: number };
}

export async function* csvRows(options: RowsOptions, chunks: AsyncIterable<string>): AsyncIterable<SourceRow> {
  const { source, delimiter } = options;
  const parser = parse({
    delimiter,
    bom: true,
    info: true,
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LINE_CHARACTERS_MAX,
  });
  const text = Readable.from(chunks, { objectMode: false });
  text.on('error', (error) => parser.destroy(error));
  text.pipe(parser);
  let mapping: ColumnMapping | null = null;
  let columns = 0;
  try {
    for await (const { record, raw, info } of parser as AsyncIterable<CsvRecord>) {
      if (mapping === null) {
        columns = record.length;
        mapping = mappingOf(options, record);
      } else if (record.length === columns) yield { text: JSON.stringify(mapping.toEvent(record)), problem: null };
      else yield raggedRow(raw, info.lines, columns, record.length);
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

/** Goes as a text, which the server refuses and keeps. `lastLine`: on which it ends, from 1. */
function raggedRow(raw: string, lastLine: number, columns: number, values: number): SourceRow {
  const text = raw.replace(/^[\r\n]+|[\r\n]+$/g, '');
  const line = lastLine - (text.match(/\n/g)?.length ?? 0);
  const problem = `line ${line}: expected ${columns} values, one for each column of the header, got ${values}`;
  return { text: JSON.stringify(text), problem };
}

function mappingOf(
  { source, delimiter, plan, importMap, note }: RowsOptions,
  record: readonly string[],
): ColumnMapping {
  const header = record.map((name) => name.trim());
  const twice = header.filter((name, i) => name !== '' && header.indexOf(name) !== i);
  if (twice.length > 0)
    throw new OperatingError(
      'columns_twice',
      `several columns of the file have one name: file=${source.name} columns=${[...new Set(twice)].join(',')}; give each a name of its own`,
    );
  const mapping = columnMapping(plan, importMap, header);
  const named = (names: readonly string[]): string => names.map((name) => name || '(without a name)').join(', ');
  if (mapping.unused.length === header.length) {
    const advice = 'name the fields in the header, or map them under events: import: in the pipeline';
    const other = [';', '\t', '|', ','].find((one) => one !== delimiter && header.some((name) => name.includes(one)));
    const hint = other === undefined ? '' : `; is it --delimiter '${other === '\t' ? '\\t' : other}'?`;
    throw new OperatingError(
      'no_columns',
      `no column of the file is a field of ${plan.message.name}: columns=${header.join(',')}; ${advice}${hint}`,
    );
  }
  if (mapping.twice.length > 0)
    throw new OperatingError(
      'columns_twice',
      `several columns of the file are one field: file=${source.name} ${mapping.twice.join('; ')}; leave all but one out`,
    );
  if (mapping.unused.length > 0 && plan.unknownFields === 'reject')
    throw new OperatingError(
      'unknown_columns',
      `columns that are no fields of ${plan.message.name}, and the pipeline says unknown_fields: reject: file=${source.name} columns=${named(mapping.unused)}; leave them out of the file`,
    );
  if (mapping.unused.length > 0)
    note(`columns that are no fields of ${plan.message.name}, left out: ${named(mapping.unused)}`);
  if (mapping.missing.length > 0)
    note(`columns of the pipeline's import that the file does not have, for: ${mapping.missing.join(', ')}`);
  return mapping;
}
