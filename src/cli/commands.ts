/** Every command of `hunt`: what it is for, and its file, loaded when it is asked for. Used by main.ts, the help and the completion. */

import { connectionBounds } from '../ops/descriptors.ts';
import type { CommandDef } from 'citty';

export interface CommandEntry {
  readonly description: string;
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
    description: 'Run the server',
    async load() {
      // Before its modules are loaded: with very few descriptors even that fails, and not with these words.
      connectionBounds();
      return as((await import('./serve.ts')).serveCommand);
    },
    repeatable: ['key', 'key-file', 'allow-host', 'allow-origin'],
  },
  check: {
    description: 'Check a pipeline file offline',
    load: async () => as((await import('./check.ts')).checkCommand),
  },
  test: {
    description: 'Run a pipeline’s tests through the real core',
    load: async () => as((await import('./test.ts')).testCommand),
  },
  plan: {
    description: 'What a pipeline would take in memory',
    load: async () => as((await import('./plan.ts')).planCommand),
  },
  send: {
    description: 'Send files of events',
    load: async () => as((await import('./send.ts')).sendCommand),
    takesMany: true,
  },
  load: {
    description: 'Put a server under load and prove that nothing was lost',
    load: async () => as((await import('./load.ts')).loadCommand),
  },
  play: {
    description: 'Let simulated players play',
    load: async () => as((await import('./play.ts')).playCommand),
  },
  sql: { description: 'Ask ClickHouse', load: async () => as((await import('./sql.ts')).sqlCommand) },
  deploy: {
    description: 'Change to another version of the pipeline while the server runs',
    load: async () => as((await import('./deploy.ts')).deployCommand),
  },
  diff: {
    description: 'Show where a shadow decides otherwise',
    load: async () => as((await import('./diff.ts')).diffCommand),
  },
  rollback: {
    description: 'Go back to an earlier version',
    load: async () => as((await import('./rollback.ts')).rollbackCommand),
  },
  versions: {
    description: 'List the versions: when, who, why, what differs',
    load: async () => as((await import('./versions.ts')).versionsCommand),
  },
  disable: {
    description: 'Switch a rule off: the kill switch',
    load: async () => as((await import('./disable.ts')).disableCommand),
  },
  enable: {
    description: 'Switch a rule on again',
    load: async () => as((await import('./disable.ts')).enableCommand),
  },
  lists: {
    description: 'Show or replace the lists of keys that rules ask',
    load: async () => as((await import('./lists.ts')).listsCommand),
  },
  audit: {
    description: 'Prove that every event is stored exactly once',
    load: async () => as((await import('./audit.ts')).auditCommand),
  },
  verify: {
    description: 'Prove that every stored feature is what ClickHouse computes',
    load: async () => as((await import('./verify.ts')).verifyCommand),
  },
  explain: {
    description: 'Why a stored event was decided as it was',
    load: async () => as((await import('./explain.ts')).explainCommand),
  },
  decide: {
    description: 'What would be decided on an event now, recording nothing',
    load: async () => as((await import('./decide.ts')).decideCommand),
  },
  features: {
    description: 'List a pipeline’s features, and their SQL',
    load: async () => as((await import('./features.ts')).featuresCommand),
  },
  completion: {
    description: 'Print a completion script for bash, zsh or fish',
    load: async () => as((await import('./completion.ts')).completionCommand),
  },
  demo: {
    description: 'Show it all in half a minute, on a temporary folder',
    load: async () => as((await import('./demo.ts')).demoCommand),
  },
};
