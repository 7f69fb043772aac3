/** `hunt query NAME --param k=v`: asks a query by its name; `hunt query`: shows which there are, and what they take. */

import { defineCommand } from 'citty';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lookup } from '../../native-free-core/base/lookup.ts';
import { HuntControl, type QueryAnswer, type QueryDescription } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';
import { repeatedOption } from './repeated-option.ts';
import { textTable } from './text-table.ts';

const FORMATS = ['table', 'json', 'csv', 'arrow', 'parquet'] as const;

export const queryCommand = defineCommand({
  args: {
    name: { type: 'positional', required: false, description: 'The query; without it all are shown' },
    param: { type: 'string', description: 'A parameter, minutes=15; may be given several times' },
    format: { type: 'string', default: 'table', description: `How the answer is written: ${FORMATS.join(', ')}` },
    out: { type: 'string', description: 'A file for the answer instead of standard output' },
    ...URL_OPTIONS,
    ...jsonOption('The same as --format json: one JSON object'),
  },
  async run({ args, rawArgs }) {
    const control = new HuntControl(serverOf(args));
    const parameters = parametersOf(repeatedOption(rawArgs, 'param'));
    const format = args.json ? 'json' : args.format;
    if (!FORMATS.some((one) => one === format))
      throw new OperatingError('bad_option', `unknown format: format=${format}; write one of ${FORMATS.join(', ')}`);
    if (args.name === undefined) {
      if (parameters.size > 0)
        throw new OperatingError('bad_option', 'parameters of which query? hunt query NAME --param …');
      const queries = await control.queries();
      process.stdout.write(`${format === 'json' ? JSON.stringify({ queries }) : queriesText(queries)}\n`);
      return;
    }
    const response = await control.query(args.name, parameters, format === 'table' ? 'json' : format);
    if (format === 'table') await write(args.out, [answerText((await response.json()) as QueryAnswer)]);
    else if (response.body !== null) await write(args.out, Readable.fromWeb(response.body));
    if (format === 'json' && args.out === undefined) process.stdout.write('\n');
  },
});

function parametersOf(texts: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw new OperatingError('bad_option', `not a parameter: param=${text}; write --param name=value`);
    const name = text.slice(0, at);
    if (parameters.has(name)) throw new OperatingError('bad_option', `given twice: param=${name}`);
    parameters.set(name, text.slice(at + 1));
  }
  return parameters;
}

async function write(file: string | undefined, source: Readable | readonly string[]): Promise<void> {
  try {
    if (file === undefined) await pipeline(source, process.stdout, { end: false });
    else await pipeline(source, createWriteStream(file));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Whoever reads the answer may have enough of it: hunt query … | head.
    if (code === 'EPIPE' && file === undefined) return;
    if (file === undefined || code === undefined) throw cause;
    throw new OperatingError(
      'file_unwritable',
      `cannot write the answer: file=${file} reason=${code}; check the path`,
      { cause },
    );
  }
}

function queriesText(queries: readonly QueryDescription[]): string {
  const lines = queries.flatMap(({ name, about, source, parameters }) => [
    `${name}${source === 'pipeline' ? ' (of the pipeline)' : ''}${about === '' ? '' : `: ${about}`}`,
    ...textTable(
      parameters.map(({ name: parameter, type, default: otherwise, choices }) => [
        parameter,
        choices === undefined ? type : choices.filter((choice) => choice !== '').join(' | '),
        otherwise === null ? 'needed' : otherwise === '' ? 'may be left out' : `default ${otherwise}`,
      ]),
    ),
  ]);
  return lines.join('\n');
}

function answerText({ columns, rows, rowCount, seconds }: QueryAnswer): string {
  const cell = (value: unknown, type: string): string => {
    if (value === null) return '-';
    if (type === 'time') return new Date(value as number).toISOString();
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  const table = textTable([
    columns.map(({ name }) => name),
    ...rows.map((row) => columns.map(({ name, type }) => cell(lookup(row, name), type))),
  ]);
  return `${table.join('\n')}\n${rowCount} rows, ${seconds} s\n`;
}
