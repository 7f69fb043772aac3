/** `hunt send FILE`: sends a file of events, and can be run again: what the server has is not taken twice. */

import { defineCommand } from 'citty';
import { OperatingError } from '../errors.ts';
import { countOption, durationOption, serverOf, URL_OPTIONS } from './send/options.ts';
import { showProgress } from './send/progress.ts';
import type { FileFormat } from './send/rows.ts';
import { sendFile } from './send/send-file.ts';
import { isComplete, rejectedRows, summaryText } from './send/summary.ts';

const FRAME_EVENTS_MAX = 8192;
const INTERRUPTED = 130;

export const sendCommand = defineCommand({
  meta: {
    name: 'hunt send',
    description: 'Send a file of events, NDJSON or CSV, gzip too. Run twice, nothing is doubled.',
  },
  args: {
    file: { type: 'positional', required: true, description: 'File, or - for standard input' },
    ...URL_OPTIONS,
    format: { type: 'string', description: 'ndjson or csv (default: told from name or content)' },
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
    strict: { type: 'boolean', default: false, description: 'End with code 1 where a row was rejected' },
    'reconnect-for': {
      type: 'string',
      default: '60s',
      description: 'How long to try to reach a server that went away',
    },
    json: { type: 'boolean', default: false, description: 'Print the summary as one JSON object' },
  },
  async run({ args }) {
    const progress = showProgress();
    const interruption = new AbortController();
    const onSignal = (): void => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    try {
      const summary = await sendFile({
        ...serverOf(args),
        file: args.file,
        format: formatOption(args.format),
        delimiter: args.delimiter.replace('\\t', '\t'),
        producer: args.producer,
        eventsPerFrame: countOption('events-per-frame', args['events-per-frame'], 1, FRAME_EVENTS_MAX),
        ack: args.ack as 'durable' | 'stored',
        reconnectMs: durationOption('reconnect-for', args['reconnect-for']),
        answers: args.answers,
        note: (message) => progress.note(message),
        progress: (sofar, source) => progress.update(sofar, source),
        signal: interruption.signal,
      });
      progress.stop();
      process.stdout.write(`${args.json ? JSON.stringify(summary) : summaryText(summary)}\n`);
      if (!isComplete(summary) || (args.strict && rejectedRows(summary) > 0)) process.exitCode = 1;
      if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
    } finally {
      progress.stop();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  },
});

function formatOption(text: string | undefined): FileFormat | null {
  if (text === undefined || text === 'ndjson' || text === 'csv') return text ?? null;
  throw new OperatingError('bad_option', `unknown format: format=${text}; write ndjson or csv`);
}
