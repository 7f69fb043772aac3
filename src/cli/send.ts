/** `hunt send FILE…`: sends files of events, and can be run again: what the server has is not taken twice. */

import { defineCommand } from 'citty';
import { rmSync, statSync } from 'node:fs';
import { OperatingError } from '../errors.ts';
import { countOption, durationOption, jsonOption, serverOf, URL_OPTIONS } from './options.ts';
import { showProgress } from './send/send-progress.ts';
import type { FileFormat } from './send/row.ts';
import { sendFile, type SendOptions } from './send/send-file.ts';
import { isComplete, rejectedRows, summaryText, type SendSummary } from './send/summary.ts';

const FRAME_EVENTS_MAX = 8192;
const INTERRUPTED = 130;

export const sendCommand = defineCommand({
  args: {
    file: { type: 'positional', required: true, description: 'Files, in their order, or - for standard input' },
    ...URL_OPTIONS,
    format: { type: 'string', description: 'ndjson, json (a list) or csv (default: told from name or content)' },
    delimiter: { type: 'string', default: ',', description: 'Of CSV files; \\t for a tab' },
    producer: {
      type: 'string',
      description: 'Name under which frames are numbered (default: made from the file’s content)',
    },
    'events-per-frame': { type: 'string', default: '500', description: 'Events in each frame' },
    ack: {
      type: 'enum',
      options: ['durable', 'stored'],
      default: 'durable',
      description: 'When a frame counts as answered',
    },
    answers: { type: 'string', description: 'Write one line of JSON per event to this file: index, decisions' },
    'allow-rejected': { type: 'boolean', default: false, description: 'End with code 0 although rows were rejected' },
    'reconnect-for': {
      type: 'string',
      default: '60s',
      description: 'How long to try to reach a server that went away',
    },
    ...jsonOption('Print the summary as one JSON object'),
  },
  async run({ args }) {
    const interruption = new AbortController();
    const onSignal = (): void => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    try {
      const files = filesOf(args._, args.producer);
      const options = {
        ...serverOf(args),
        format: formatOption(args.format),
        delimiter: args.delimiter.replace('\\t', '\t'),
        producer: args.producer,
        eventsPerFrame: countOption('events-per-frame', args['events-per-frame'], 1, FRAME_EVENTS_MAX),
        ack: args.ack as 'durable' | 'stored',
        reconnectMs: durationOption('reconnect-for', args['reconnect-for']),
        answers: args.answers,
        isOneOfSeveral: files.length > 1,
        signal: interruption.signal,
      } satisfies Omit<SendOptions, 'file' | 'note' | 'progress'>;
      if (files.length > 1 && args.answers !== undefined) rmSync(args.answers, { force: true });
      for (const file of files) {
        const summary = await sendShown({ ...options, file });
        process.stdout.write(`${args.json ? JSON.stringify(summary) : summaryOf(summary, files.length)}\n`);
        if (!isComplete(summary) || (rejectedRows(summary) > 0 && !args['allow-rejected'])) process.exitCode = 1;
        if (interruption.signal.aborted) break;
      }
      if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  },
});

async function sendShown(options: Omit<SendOptions, 'note' | 'progress'>): Promise<SendSummary> {
  const progress = showProgress();
  try {
    return await sendFile({
      ...options,
      note: (message) => progress.note(message),
      progress: (sofar, source) => progress.update(sofar, source),
    });
  } finally {
    progress.stop();
  }
}

/** All of them are there before the first one is sent. */
function filesOf(files: readonly string[], producer: string | undefined): readonly string[] {
  if (files.length > 1 && producer !== undefined) {
    const advice =
      'a name stands for one sequence of frames: send the files one by one under names of their own, or leave it out';
    throw new OperatingError(
      'bad_option',
      `several files and one producer: files=${files.length} producer=${producer}; ${advice}`,
    );
  }
  if (files.filter((file) => file === '-').length > 1)
    throw new OperatingError('bad_option', 'standard input can be read once: name - one time');
  for (const file of files) {
    if (file !== '-' && statSync(file, { throwIfNoEntry: false }) === undefined)
      throw new OperatingError('file_unreadable', `no such file: file=${file}; nothing was sent`);
  }
  return files;
}

function summaryOf(summary: SendSummary, files: number): string {
  return files === 1 ? summaryText(summary) : `${'file'.padEnd(14)}${summary.file}\n${summaryText(summary)}\n`;
}

function formatOption(text: string | undefined): FileFormat | null {
  if (text === undefined || text === 'ndjson' || text === 'json' || text === 'csv') return text ?? null;
  throw new OperatingError('bad_option', `unknown format: format=${text}; write ndjson, json or csv`);
}
