#!/usr/bin/env node
/**
 * The command line, `hunt`: finds the command, checks its options, runs it, and turns what goes wrong into one line and an
 * exit code. 0: all is well; 1: it is not; 2: the command line itself is wrong. Each command is one file in cli/.
 */

// First: it says so where Node is too old for what follows.
import './ops/check-node.ts';
import { renderUsage, runCommand, type CommandDef } from 'citty';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { lookup } from '../native-free-core/base/lookup.ts';
import { COMMANDS, type CommandEntry } from './cli/commands.ts';
import { packageRoot } from './ops/compiled-url.ts';
import { titleWithoutSecrets } from './ops/process-title.ts';
import { OperatingError } from './errors.ts';

function version(): string {
  const file = join(packageRoot(import.meta.url), 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { description }]) => `  hunt ${name.padEnd(10)} ${description}`);
  return `Treasure Hunt Engine ${version()}\nDecides on every event at once, and keeps every event exactly once in ClickHouse.\n\n${lines.join('\n')}\n\nhunt COMMAND --help, or hunt help COMMAND, tells a command's options.\n`;
}

/** Codes of errors that are about the command line itself. */
const USAGE_CODES = new Set([
  'bad_option',
  'bad_url',
  'bad_listen',
  'bad_clickhouse_url',
  'bad_day',
  'insecure_listen',
]);

function fail(message: string, exitCode: number): never {
  process.stderr.write(`hunt: ${message}\n`);
  process.exit(exitCode);
}

/** The closest of `known` to a mistyped word, or ''. */
function suggestion(word: string, known: readonly string[]): string {
  const close = known.find((name) => name.startsWith(word) || word.startsWith(name) || distance(name, word) <= 2);
  return close === undefined ? '' : `; did you mean ${close}?`;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Unknown options are errors: a mistyped one must not be one that silently does nothing. */
function checkOptions(name: string, command: CommandDef, rest: readonly string[]): void {
  const known = new Set(['help', 'h']);
  for (const [option, definition] of Object.entries(command.args ?? {})) {
    if (definition.type === 'positional') continue;
    known.add(option).add(`no-${option}`);
    for (const alias of [(definition as { alias?: string | string[] }).alias ?? []].flat()) known.add(alias);
  }
  for (const word of rest) {
    if (word === '--') return;
    const option = /^--?([a-zA-Z_][\w-]*)/.exec(word)?.[1];
    if (option !== undefined && !known.has(option)) {
      fail(
        `unknown option ${word} of hunt ${name}${suggestion(
          option,
          [...known].map((k) => k),
        )}; see hunt ${name} --help`,
        2,
      );
    }
  }
}

function entryOf(name: string): CommandEntry {
  const entry = lookup(COMMANDS, name);
  if (entry !== undefined) return entry;
  return fail(`unknown command ${name}${suggestion(name, Object.keys(COMMANDS))}; see hunt --help`, 2);
}

/** Colours are for terminals that want them. */
async function help(name: string): Promise<void> {
  const usage = await renderUsage(await entryOf(name).load());
  const isPlain = process.stdout.isTTY !== true || (process.env['NO_COLOR'] ?? '') !== '';
  process.stdout.write(`${isPlain ? stripVTControlCharacters(usage) : usage}\n`);
}

async function main(): Promise<void> {
  const title = titleWithoutSecrets(process.argv.slice(2));
  if (title !== undefined) process.title = title;
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    process.stdout.write(overview());
    return;
  }
  if (name === 'help') return help(rest[0]!);
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const command = await entryOf(name).load();
  if (rest.includes('--help') || rest.includes('-h')) return help(name);
  checkOptions(name, command, rest);
  await runCommand(command, { rawArgs: rest });
}

main().catch((error: unknown) => {
  if (error instanceof OperatingError) fail(`${error.message} [${error.code}]`, USAGE_CODES.has(error.code) ? 2 : 1);
  if (error instanceof Error && error.name === 'CLIError') fail(error.message, 2);
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
});
