/** `hunt load`: puts a server under load in an open loop, and proves from the tables that nothing was lost or doubled. */

import { defineCommand } from 'citty';
import { keysOption, mixOption, patternOption } from './load/load-options.ts';
import { isSound, reportText } from './load/load-report.ts';
import { runLoad } from './load/run-load.ts';
import { countOption, durationOption, numberOption, serverOf, URL_OPTIONS } from './options.ts';
import { CLICKHOUSE_OPTION, jsonOption } from './options.ts';

export { runLoad } from './load/run-load.ts';
export type { LoadOptions } from './load/load-options.ts';
export type { LoadReport } from './load/load-report.ts';

const INTERRUPTED = 130;

export const loadCommand = defineCommand({
  args: {
    ...URL_OPTIONS,
    protocol: {
      type: 'enum',
      options: ['ws', 'http'],
      default: 'ws',
      description: 'WebSocket, or one HTTP request after another on each connection',
    },
    rate: {
      type: 'string',
      default: 'max',
      description: 'Events a second in an open loop; max: as fast as answers come',
    },
    connections: { type: 'string', default: '4', description: 'Connections, each a producer of its own' },
    'events-per-frame': { type: 'string', default: '500', description: 'Events in each frame' },
    duration: { type: 'string', default: '10s', description: 'How long to send: 30s, 5m' },
    keys: {
      type: 'string',
      description:
        'Keys drawn by Zipf’s law: of the primary entity (50k), or of several (player=50k,hunt=2k); default 200k and 5k, at most what an entity holds',
    },
    players: { type: 'string', description: 'The same as --keys player=N, for the example game' },
    hunts: { type: 'string', description: 'The same as --keys hunt=N' },
    zipf: { type: 'string', default: '1', description: 'Exponent of Zipf’s law' },
    mix: { type: 'string', description: 'How often each type of event comes: dig=4,find=1; default: all alike' },
    events: {
      type: 'string',
      description: 'File of events (NDJSON, CSV or JSON, as for hunt send) to repeat with new ids, times and keys',
    },
    delimiter: { type: 'string', default: ',', description: 'Of a CSV file of events; \\t for a tab' },
    ack: {
      type: 'enum',
      options: ['durable', 'stored'],
      default: 'durable',
      description: 'When a frame counts as answered',
    },
    seed: { type: 'string', default: '1', description: 'Of what the events hold' },
    'in-flight': {
      type: 'string',
      default: 'max',
      description: 'Frames unanswered at once on each connection; max: as the server allows',
    },
    'reconnect-for': { type: 'string', default: '60s', description: 'How long to wait for a server that went away' },
    'rss-log': { type: 'boolean', default: false, description: 'Print the resident memory of each minute' },
    ...CLICKHOUSE_OPTION,
    ...jsonOption(),
  },
  async run({ args }) {
    const interruption = new AbortController();
    const onSignal = (): void => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
    };
    const progress = (line: string): void => void process.stderr.write(`${line}\n`);
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    try {
      const report = await runLoad({
        ...serverOf(args),
        protocol: args.protocol as 'ws' | 'http',
        rate: args.rate === 'max' ? Infinity : countOption('rate', args.rate, 1, 100_000_000),
        connections: countOption('connections', args.connections, 1, 1296),
        eventsPerFrame: countOption('events-per-frame', args['events-per-frame'], 1, 8192),
        durationMs: durationOption('duration', args.duration),
        keys: keysOption(args),
        branches: mixOption(args.mix),
        pattern: patternOption(args),
        zipfExponent: numberOption('zipf', args.zipf, 0, 10),
        ack: args.ack as 'durable' | 'stored',
        seed: countOption('seed', args.seed, 0, Number.MAX_SAFE_INTEGER),
        framesInFlightMax:
          args['in-flight'] === 'max' ? Infinity : countOption('in-flight', args['in-flight'], 1, 1024),
        reconnectMs: durationOption('reconnect-for', args['reconnect-for']),
        clickhouse: args.clickhouse,
        progress,
        rssLog: args['rss-log'] ? progress : () => undefined,
        signal: interruption.signal,
      });
      process.stdout.write(`${args.json ? JSON.stringify(report) : reportText(report)}\n`);
      if (!isSound(report)) process.exitCode = 1;
      if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  },
});
