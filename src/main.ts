#!/usr/bin/env node
/**
 * The command line, `hunt`: finds the command, checks its options, runs it, and turns what goes wrong into one line and an
 * exit code. 0: all is well; 1: it is not; 2: the command line itself is wrong. Each command is one file in cli/.
 */

import { renderUsage, runCommand, type CommandDef } from 'citty';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookup } from '../native-free-core/base/lookup.ts';
import { packageRoot } from './ops/compiled-url.ts';
import { OperatingError } from './errors.ts';

interface Entry {
  readonly description: string;
  readonly load: () => Promise<CommandDef>;
}

/** Citty's own type of a command is generic over its arguments; here they are all alike. */
const as = (command: unknown): CommandDef => command as CommandDef;

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: { description: 'Run the server', load: async () => as((await import('./cli/serve.ts')).serveCommand) },
  check: {
    description: 'Check a pipeline file offline',
    load: async () => as((await import('./cli/check.ts')).checkCommand),
  },
  test: {
    description: 'Run a pipeline’s tests through the real core',
    load: async () => as((await import('./cli/test.ts')).testCommand),
  },
  plan: {
    description: 'What a pipeline would take in memory',
    load: async () => as((await import('./cli/plan.ts')).planCommand),
  },
  send: { description: 'Send a file of events', load: async () => as((await import('./cli/send.ts')).sendCommand) },
  load: {
    description: 'Put a server under load and prove that nothing was lost',
    load: async () => as((await import('./cli/load.ts')).loadCommand),
  },
  play: {
    description: 'Let simulated players play',
    load: async () => as((await import('./cli/play.ts')).playCommand),
  },
  sql: { description: 'Ask ClickHouse', load: async () => as((await import('./cli/sql.ts')).sqlCommand) },
  deploy: {
    description: 'Change to another version of the pipeline while the server runs',
    load: async () => as((await import('./cli/deploy.ts')).deployCommand),
  },
  diff: {
    description: 'Show where a shadow decides otherwise',
    load: async () => as((await import('./cli/diff.ts')).diffCommand),
  },
  rollback: {
    description: 'Go back to an earlier version',
    load: async () => as((await import('./cli/rollback.ts')).rollbackCommand),
  },
  versions: {
    description: 'List the versions: when, who, why, what differs',
    load: async () => as((await import('./cli/versions.ts')).versionsCommand),
  },
  disable: {
    description: 'Switch a rule off: the kill switch',
    load: async () => as((await import('./cli/disable.ts')).disableCommand),
  },
  enable: {
    description: 'Switch a rule on again',
    load: async () => as((await import('./cli/disable.ts')).enableCommand),
  },
  lists: {
    description: 'Show or replace the lists of keys that rules ask',
    load: async () => as((await import('./cli/lists.ts')).listsCommand),
  },
  audit: {
    description: 'Prove that every event is stored exactly once',
    load: async () => as((await import('./cli/audit.ts')).auditCommand),
  },
  verify: {
    description: 'Prove that every stored feature is what ClickHouse computes',
    load: async () => as((await import('./cli/verify.ts')).verifyCommand),
  },
  explain: {
    description: 'Why a stored event was decided as it was',
    load: async () => as((await import('./cli/explain.ts')).explainCommand),
  },
  decide: {
    description: 'What would be decided on an event now, recording nothing',
    load: async () => as((await import('./cli/decide.ts')).decideCommand),
  },
  features: {
    description: 'List a pipeline’s features, and their SQL',
    load: async () => as((await import('./cli/features.ts')).featuresCommand),
  },
  demo: {
    description: 'Show it all in half a minute, on a temporary folder',
    load: async () => as((await import('./cli/demo.ts')).demoCommand),
  },
};

function version(): string {
  const file = join(packageRoot(import.meta.url), 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { description }]) => `  hunt ${name.padEnd(8)} ${description}`);
  return `Treasure Hunt Engine ${version()}\nDecides on every event at once, and keeps every event exactly once in ClickHouse.\n\n${lines.join('\n')}\n\nhunt COMMAND --help tells a command's options.\n`;
}

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
    const option = /^--?([a-zA-Z][\w-]*)/.exec(word)?.[1];
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

async function main(): Promise<void> {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const entry = lookup(COMMANDS, name);
  if (entry === undefined)
    fail(`unknown command ${name}${suggestion(name, Object.keys(COMMANDS))}; see hunt --help`, 2);
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${await renderUsage(command)}\n`);
    return;
  }
  checkOptions(name, command, rest);
  await runCommand(command, { rawArgs: rest });
}

main().catch((error: unknown) => {
  if (error instanceof OperatingError) fail(`${error.message} [${error.code}]`, 1);
  if (error instanceof Error && error.name === 'CLIError') fail(error.message, 2);
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
});
