/**
 * `hunt lists`: the lists of keys that a server's rules ask, and `hunt lists replace NAME FILE`: another content for one of
 * them, at once and for good.
 */

import { defineCommand } from 'citty';
import { readFileSync } from 'node:fs';
import { HuntControl, type ListDescription } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { ORIGIN_OPTIONS, changeOriginOf, type OriginArguments } from './deploy/follow-change.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';

export const listsCommand = defineCommand({
  args: {
    action: { type: 'positional', required: false, description: 'replace; without it the lists are shown' },
    name: { type: 'positional', required: false, description: 'The list to replace' },
    file: { type: 'positional', required: false, description: 'Its new entries, one a line; - reads standard input' },
    ...URL_OPTIONS,
    ...ORIGIN_OPTIONS,
    ...jsonOption('Print JSON'),
  },
  async run({ args }) {
    const control = new HuntControl(serverOf(args));
    const lists = args.action === undefined ? await control.lists() : [await replace(control, args)];
    process.stdout.write(args.json ? `${JSON.stringify(lists)}\n` : `${listsText(lists)}\n`);
  },
});

interface ReplaceArguments extends OriginArguments {
  readonly action?: string | undefined;
  readonly name?: string | undefined;
  readonly file?: string | undefined;
}

function replace(control: HuntControl, args: ReplaceArguments): Promise<ListDescription> {
  const { action, name, file } = args;
  if (action !== 'replace' || name === undefined || file === undefined) {
    throw new OperatingError(
      'bad_option',
      `not a thing to do with lists: ${action}; write hunt lists, or hunt lists replace NAME FILE`,
    );
  }
  return control.replaceList(name, readList(file), changeOriginOf(args));
}

function readList(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new OperatingError('list_unreadable', `cannot read the new list: file=${file}; check the path`, { cause });
  }
}

function listsText(lists: readonly ListDescription[]): string {
  if (lists.length === 0) return 'The pipeline has no lists: declare some under lists:';
  const width = Math.max(...lists.map(({ name }) => name.length));
  return lists
    .map(({ name, entries, max, type, file, replacedAt }) => {
      const source = replacedAt === null ? `as in ${file}` : `replaced ${replacedAt}`;
      return `${name.padEnd(width)}  ${entries} of at most ${max} (${type}), ${source}`;
    })
    .join('\n');
}
