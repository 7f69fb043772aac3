#!/usr/bin/env node
/**
 * The command line, `hunt`: finds the command, checks its options, runs it, and turns what goes wrong into one line and an
 * exit code. 0: all is well; 1: it is not; 2: the command line itself is wrong; 3: an accepted loss (hunt audit). Each
 * command is one file in cli/.
 */

// First: it says so where Node is too old for what follows.
import './system/check-node.ts';
import { renderUsage, runCommand } from 'citty';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { lookup } from '../native-free-core/base/lookup.ts';
import { nearest } from '../native-free-core/base/nearest.ts';
import { checkCommandLine } from './cli/command-line.ts';
import { COMMANDS, type CommandEntry } from './cli/commands.ts';
import { packageRoot } from './system/compiled-url.ts';
import { endProcess, lastWord, uncaught } from './system/end-process.ts';
import { titleWithoutSecrets } from './system/process-title.ts';
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
  'spool_segment_bytes',
  'spool_bytes_max',
]);

function fail(message: string, exitCode: number): never {
  process.stderr.write(`hunt: ${message}\n`);
  return endProcess(exitCode);
}

function entryOf(name: string): CommandEntry {
  const entry = lookup(COMMANDS, name);
  if (entry !== undefined) return entry;
  const meant = nearest(name, Object.keys(COMMANDS));
  return fail(`unknown command ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}; see hunt --help`, 2);
}

/** Colours are for terminals that want them. */
async function help(name: string): Promise<void> {
  const { description, load, scopes } = entryOf(name);
  const keys = scopes.length === 0 ? '' : `\nA server with keys asks for one that is for: ${scopes.join(', ')}\n`;
  const usage = `${await renderUsage({ ...(await load()), meta: { name: `hunt ${name}`, description } })}${keys}`;
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
  if (name === 'help')
    return rest.length === 1 ? help(rest[0]!) : fail(`hunt help takes one command: given=${rest.join(' ')}`, 2);
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const entry = entryOf(name);
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) return help(name);
  checkCommandLine(name, entry, command, rest);
  await runCommand(command, { rawArgs: rest });
}

/** What nobody has caught ends the process with its one line, too. */
function end(error: unknown): never {
  if (error instanceof Error && error.name === 'CLIError') return fail(error.message, 2);
  return fail(lastWord(error), error instanceof OperatingError && USAGE_CODES.has(error.code) ? 2 : 1);
}

process.on('uncaughtException', (error) => uncaught(error, end));
main().catch(end);
