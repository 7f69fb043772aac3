/**
 * Every command of `hunt`: what it is for, in the only words for that, and its file, loaded when it is asked for. Used by
 * main.ts, the help and the completion.
 */

import { connectionBounds } from '../system/descriptors.ts';
import type { CommandDef } from 'citty';
import type { Scope } from '../access/scope.ts';

export interface CommandEntry {
  readonly description: string;
  /** What the key must be for that it shows to a server; none: it speaks to none. */
  readonly scopes: readonly Scope[];
  readonly load: () => Promise<CommandDef>;
  /** Options that may be given several times; of others a second one is refused. */
  readonly repeatable?: readonly string[];
  /** As many of the last argument as one likes. */
  readonly takesMany?: boolean;
}

/** Citty's own type of a command is generic over its arguments; here they are all alike. */
const as = (command: unknown): CommandDef => command as CommandDef;

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    description: 'Run the server: takes events, decides, and keeps them in ClickHouse',
    scopes: [],
    async load() {
      // Before its modules are loaded: with very few descriptors even that fails, and not with these words.
      connectionBounds();
      return as((await import('./serve.ts')).serveCommand);
    },
    repeatable: ['key', 'key-file', 'allow-host', 'allow-origin'],
  },
  check: {
    description: 'Check a pipeline file and explain it, without a server',
    scopes: [],
    load: async () => as((await import('./check.ts')).checkCommand),
  },
  test: {
    description: 'Run a pipeline’s tests through the real core, without a server',
    scopes: [],
    load: async () => as((await import('./test.ts')).testCommand),
  },
  plan: {
    description: 'What a pipeline would take in memory, or change on a server',
    scopes: ['query', 'deploy'],
    load: async () => as((await import('./plan.ts')).planCommand),
  },
  send: {
    description: 'Send files of events: NDJSON, JSON or CSV, gzip too; run twice, nothing is doubled',
    scopes: ['ingest', 'query'],
    load: async () => as((await import('./send.ts')).sendCommand),
    takesMany: true,
  },
  load: {
    description: 'Put a server under load, for any pipeline, and prove that nothing was lost or doubled',
    scopes: ['ingest', 'query'],
    load: async () => as((await import('./load.ts')).loadCommand),
  },
  play: {
    description: 'Let simulated players play the example game, and judge what was decided',
    scopes: ['ingest'],
    load: async () => as((await import('../examples/treasure-hunt/play.ts')).playCommand),
  },
  sql: {
    description: 'Ask ClickHouse: hunt sql "SELECT …"',
    scopes: ['query'],
    load: async () => as((await import('./sql.ts')).sqlCommand),
  },
  query: {
    description: 'Ask a named query, the pipeline’s own or one of those that every pipeline has',
    scopes: ['query'],
    load: async () => as((await import('./query.ts')).queryCommand),
    repeatable: ['param'],
  },
  deploy: {
    description: 'Change to another version of the pipeline while the server runs',
    scopes: ['deploy', 'query'],
    load: async () => as((await import('./deploy.ts')).deployCommand),
  },
  diff: {
    description: 'Show where a shadow decides otherwise',
    scopes: ['query'],
    load: async () => as((await import('./diff.ts')).diffCommand),
  },
  rollback: {
    description: 'Go back to an earlier version while the server runs',
    scopes: ['deploy', 'query'],
    load: async () => as((await import('./rollback.ts')).rollbackCommand),
  },
  versions: {
    description: 'List the versions: when, who, why, what differs',
    scopes: ['query'],
    load: async () => as((await import('./versions.ts')).versionsCommand),
  },
  disable: {
    description: 'Switch a rule off: the kill switch',
    scopes: ['deploy', 'query'],
    load: async () => as((await import('./disable.ts')).disableCommand),
  },
  enable: {
    description: 'Switch a rule on again',
    scopes: ['deploy', 'query'],
    load: async () => as((await import('./disable.ts')).enableCommand),
  },
  lists: {
    description: 'Show the lists that rules ask, or: hunt lists replace NAME FILE',
    scopes: ['query', 'lists'],
    load: async () => as((await import('./lists.ts')).listsCommand),
  },
  audit: {
    description: 'Prove that every event is stored exactly once',
    scopes: ['query'],
    load: async () => as((await import('./audit.ts')).auditCommand),
  },
  verify: {
    description: 'Prove that every stored feature is what ClickHouse computes',
    scopes: ['query'],
    load: async () => as((await import('./verify.ts')).verifyCommand),
  },
  explain: {
    description: 'Why a stored event was decided as it was',
    scopes: ['query'],
    load: async () => as((await import('./explain.ts')).explainCommand),
  },
  decide: {
    description: 'What would be decided on an event now, recording nothing',
    scopes: ['decide'],
    load: async () => as((await import('./decide.ts')).decideCommand),
  },
  features: {
    description: 'List a pipeline’s features, and their SQL',
    scopes: [],
    load: async () => as((await import('./features.ts')).featuresCommand),
  },
  completion: {
    description: 'Print a completion script for bash, zsh or fish',
    scopes: [],
    load: async () => as((await import('./completion.ts')).completionCommand),
  },
  demo: {
    description: 'Show it all in half a minute, on a temporary folder',
    scopes: [],
    load: async () => as((await import('../examples/treasure-hunt/demo.ts')).demoCommand),
  },
};
