/**
 * `hunt decide FILE`: what a server would decide on an event now. Nothing is recorded: no state moves, no limit is used. Of
 * several events in a file each is decided on its own, as the next one.
 */

import { defineCommand } from 'citty';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HuntControl } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { explanationText } from './explain/explanation-text.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';

/** As the server's `Retry-After` says. */
const RETRY_MS = 1000;
const WAIT_MS_MAX = 60_000;

export const decideCommand = defineCommand({
  args: {
    file: {
      type: 'positional',
      required: true,
      description: 'One event in JSON, or one a line; - reads standard input',
    },
    protobuf: { type: 'boolean', default: false, description: 'The file is one event as a protobuf message' },
    all: { type: 'boolean', default: false, description: 'Show the conditions of rules that were not reached, too' },
    paths: { type: 'boolean', default: false, description: 'Show the way through each tree of a model, too' },
    ...URL_OPTIONS,
    ...jsonOption('Print one JSON object for each event'),
  },
  async run({ args }) {
    const control = new HuntControl(serverOf(args));
    const bytes = readEvents(args.file);
    const events = args.protobuf ? [bytes] : eventsOf(bytes);
    for (const [i, event] of events.entries()) {
      const type = args.protobuf ? 'application/x-protobuf' : 'application/json';
      const explanation = await patiently(() => control.decide(event, type));
      const text = args.json ? JSON.stringify(explanation) : explanationText(explanation, args);
      process.stdout.write(`${i > 0 && !args.json ? '\n' : ''}${text}\n`);
    }
  },
});

/** Dry runs have a small share of the server's time: of many events some are told to come again. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const end = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isToldToWait = error instanceof OperatingError && error.code === 'server_refused' && error.retryable;
      if (!isToldToWait || performance.now() > end) throw error;
      await pause(RETRY_MS);
    }
  }
}

function readEvents(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new OperatingError('event_unreadable', `cannot read the event: file=${file}; check the path`, { cause });
  }
}

/** One JSON text, however many lines it has; else one a line. */
function eventsOf(bytes: Uint8Array): Uint8Array[] {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const isOne =
    lines.length < 2 || !lines.every((line) => line.trimStart().startsWith('{') && line.trimEnd().endsWith('}'));
  return isOne ? [bytes] : lines.map((line) => new TextEncoder().encode(line));
}
