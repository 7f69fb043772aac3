/**
 * Whether a command line says what its command can do: unknown options, options given twice, words that no argument takes.
 * Nothing that is given is passed over without a word. Called by main.ts before the command runs; what is wrong ends with
 * exit code 2.
 */

import type { ArgsDef, CommandDef } from 'citty';
import { nearest } from '../../native-free-core/base/nearest.ts';
import { OperatingError } from '../errors.ts';
import type { CommandEntry } from './commands.ts';

/** What a command takes. */
interface Known {
  /** Every way to write an option, by what is to be written once. */
  readonly options: Map<string, { readonly name: string; readonly takesValue: boolean }>;
  readonly positionals: readonly string[];
}

export function checkCommandLine(
  name: string,
  entry: CommandEntry,
  command: CommandDef,
  words: readonly string[],
): void {
  const known = knownOf((command.args ?? {}) as ArgsDef);
  const given = new Set<string>();
  const values: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') {
      values.push(...words.slice(i + 1));
      break;
    }
    const written = /^--?([a-zA-Z_][\w-]*)(=.*)?$/s.exec(word);
    if (written === null) {
      values.push(word);
      continue;
    }
    const option = known.options.get(written[1]!) ?? unknownOption(name, word, written[1]!, known);
    const isRepeatable = entry.repeatable?.includes(option.name) === true;
    if (given.has(option.name) && !isRepeatable)
      throw usage(`option given twice: --${option.name}; hunt ${name} takes it once`);
    given.add(option.name);
    if (!option.takesValue || written[2] !== undefined) continue;
    const value = words[++i];
    const isOption = value !== undefined && known.options.has(/^--([\w-]+)/.exec(value)?.[1] ?? '');
    if (value === undefined || isOption) throw usage(`option --${option.name} of hunt ${name} needs a value`);
  }
  checkValues(name, entry, known, values);
}

function knownOf(args: ArgsDef): Known {
  const options = new Map([['help', { name: 'help', takesValue: false }]]);
  options.set('h', { name: 'help', takesValue: false });
  const positionals: string[] = [];
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === 'positional') {
      positionals.push(name);
      continue;
    }
    const option = { name, takesValue: definition.type !== 'boolean' };
    for (const alias of [name, (definition as { alias?: string | string[] }).alias ?? []].flat())
      options.set(alias, option);
    options.set(`no-${name}`, { name, takesValue: false });
  }
  return { options, positionals };
}

function unknownOption(name: string, word: string, option: string, { options }: Known): never {
  const meant = nearest(option, options.keys());
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw usage(`unknown option ${word} of hunt ${name}${advice}; see hunt ${name} --help`);
}

function checkValues(name: string, entry: CommandEntry, { positionals }: Known, values: readonly string[]): void {
  if (entry.takesMany === true || values.length <= positionals.length) return;
  const surplus = values.slice(positionals.length).map((value) => JSON.stringify(value));
  const takes = positionals.length === 0 ? 'no such arguments' : `${positionals.join(', ')} only`;
  throw usage(`surplus arguments: ${surplus.join(' ')}; hunt ${name} takes ${takes}`);
}

function usage(message: string): OperatingError {
  return new OperatingError('bad_option', message);
}
