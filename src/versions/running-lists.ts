/**
 * Lists of keys that rules ask with `in list.<name>`: what they hold at start, and replacing them while the engine runs. A
 * replacement is on the disk before it counts, and from then on it is what a start finds, whatever the pipeline's own file
 * says. All workers see it at once: the list lies in shared memory. Main thread; made by engine/start.ts.
 */

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ListPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { listKeys } from '../../native-free-core/language/expression/list-entries.ts';
import { keyCount, replaceKeys, type KeyList } from '../../native-free-core/state/key-list.ts';
import type { ListDescription } from '../contract/list-description.ts';
import { OperatingError } from '../errors.ts';
import { wallTime } from '../system/clock.ts';
import { writeDurably } from '../system/durable-json.ts';
import type { Log } from '../system/log.ts';

/** Entries of a list's text, or what is wrong and in which line. */
export type ListReader = (
  text: string,
  type: ListPlan['type'],
  max: number,
) => { readonly entries: readonly string[] } | { readonly line: number; readonly message: string };

export interface ListSources {
  readonly lists: readonly ListPlan[];
  /** In the order of `lists`; they hold the pipeline's own entries. */
  readonly keys: readonly KeyList[];
  /** Where replacements are kept. */
  readonly directory: string;
  readonly read: ListReader;
  readonly log: Log;
}

/** Begins the file of a replaced list; the checksum is that of the lines behind it. */
const CHECKSUM_WORD = '# crc32=';
const CHECKSUM = /^# crc32=(\d+)\n/;

/** What the other threads need of a plan: the entries are in shared memory. */
export function withoutEntries(plan: Plan): Plan {
  if (plan.lists === undefined || plan.lists.length === 0) return plan;
  return { ...plan, lists: plan.lists.map((list) => ({ ...list, entries: [] })) };
}

export class Lists {
  readonly #sources: ListSources;
  readonly #replacedAt = new Map<string, string>();

  /** Loads the replacements of before. */
  constructor(sources: ListSources) {
    this.#sources = sources;
    for (const list of sources.lists) {
      const path = this.#path(list);
      if (!existsSync(path)) continue;
      const advice = `mend the file, or move it away: file=${path}`;
      const text = readFileSync(path, 'utf8');
      refuseDamaged(list, text, path);
      const entries = this.#entries(list, text, advice);
      this.#publish(list, entries);
      this.#replacedAt.set(list.name, statSync(path).mtime.toISOString());
    }
  }

  describe(): ListDescription[] {
    return this.#sources.lists.map((list) => this.#describe(list));
  }

  /** `text`: one entry a line. Throws an OperatingError where there is no such list or the text is not one. */
  replace(name: string, text: string): ListDescription {
    const { lists, log } = this.#sources;
    const list = lists.find((one) => one.name === name);
    if (list === undefined) {
      const known = lists.map((one) => one.name).join(', ');
      throw new OperatingError(
        'no_such_list',
        `the pipeline has no such list: list=${name}; it has ${known || 'none'}`,
      );
    }
    const before = keyCount(this.#keys(list));
    const entries = this.#entries(list, text, 'nothing was replaced');
    this.#store(list, entries);
    this.#publish(list, entries);
    this.#replacedAt.set(name, wallTime());
    log('info', 'list replaced', { list: name, entries: entries.length, before });
    return this.#describe(list);
  }

  #describe(list: ListPlan): ListDescription {
    const { name, type, max, file } = list;
    const replacedAt = this.#replacedAt.get(name) ?? null;
    return { name, type, entries: keyCount(this.#keys(list)), max, file, replacedAt };
  }

  #keys(list: ListPlan): KeyList {
    return this.#sources.keys[this.#sources.lists.indexOf(list)]!;
  }

  #path({ name }: ListPlan): string {
    return join(this.#sources.directory, `${name}.txt`);
  }

  #entries(list: ListPlan, text: string, advice: string): readonly string[] {
    const read = this.#sources.read(text, list.type, list.max);
    if ('entries' in read) return read.entries;
    throw new OperatingError(
      'list_unreadable',
      `a list cannot be read: list=${list.name} line=${read.line} ${read.message}; ${advice}`,
    );
  }

  #store(list: ListPlan, entries: readonly string[]): void {
    mkdirSync(this.#sources.directory, { recursive: true });
    const text = entries.map((entry) => `${entry}\n`).join('');
    writeDurably(this.#path(list), `${CHECKSUM_WORD}${crc32(text)}\n${text}`);
  }

  #publish(list: ListPlan, entries: readonly string[]): void {
    replaceKeys(this.#keys(list), listKeys(list.type, entries), entries.length);
  }
}

/**
 * A list that lost entries would let through whom it named. Files of before checksums are believed unless they are empty.
 */
function refuseDamaged({ name }: ListPlan, text: string, path: string): void {
  const sum = CHECKSUM.exec(text);
  if (sum === null ? text !== '' : Number(sum[1]) === crc32(text.slice(sum[0].length))) return;
  throw new OperatingError(
    'list_damaged',
    `a replaced list is not as it was written: list=${name} file=${path} bytes=${text.length}; restore it from a copy, or ` +
      `check its entries and take its first line away, or move the file away to go on with the pipeline's own list`,
  );
}
