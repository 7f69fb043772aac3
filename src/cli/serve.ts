/** `hunt serve`: runs the server until it is told to stop. */

import { defineCommand } from 'citty';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { KEY_VARIABLE } from '../access/key-sources.ts';
import type { EngineOptions } from '../engine/index.ts';
import { OperatingError } from '../errors.ts';
import { createLog, type LogFormat, type LogLevel } from '../system/log.ts';
import type { WantedTransport } from '../http/choose-transport.ts';
import { endProcess } from '../system/end-process.ts';
import { defaultPipeline } from '../config/default-pipeline.ts';
import { ACCESS_OPTIONS, accessOptions } from './serve/access-options.ts';
import { jsonOption } from './options.ts';

/** Four of the smallest segments that are of use. */
const SPOOL_GIB_MIN = 0.25;
/** For one worker; more need more (spool/segment-bytes.ts). */
const SEGMENT_MIB_MIN = 33;

export const serveCommand = defineCommand({
  args: {
    pipeline: {
      type: 'positional',
      required: false,
      description: 'Pipeline file (default: the treasure hunt that comes with the package)',
    },
    data: { type: 'string', default: './hunt-data', description: 'Folder that holds everything that must survive' },
    listen: {
      type: 'string',
      default: '127.0.0.1:8700',
      description: 'Address for events, control and health; port 0 picks a free one',
    },
    'clickhouse-listen': {
      type: 'string',
      default: '127.0.0.1:8123',
      description: 'Address of the embedded ClickHouse’s HTTP interface',
    },
    clickhouse: {
      type: 'string',
      description: 'Use this ClickHouse instead of the embedded one: http://user:password@host:8123/database',
    },
    workers: { type: 'string', description: 'Decision workers (default: cores - 1, at least 1)' },
    ingresses: { type: 'string', default: '1', description: 'Ingress threads on the same port' },
    transport: {
      type: 'string',
      default: 'auto',
      description: 'Library that serves HTTP: uws (uWebSockets.js), node (node:http and ws), auto: uws where it loads',
    },
    ...ACCESS_OPTIONS,
    'frames-per-second': {
      type: 'string',
      default: '0',
      description:
        'Most frames a second from one WebSocket connection, or one producer over HTTP (requests that name none count as one); 0: no limit',
    },
    'spool-max': {
      type: 'string',
      default: '8',
      description: 'Most GiB that the spool may take before new frames are refused with RETRY',
    },
    'spool-segment': {
      type: 'string',
      description:
        'MiB of one file of the spool, which is trimmed file by file (default: a quarter of spool-max, at most 256; at least what the workers need)',
    },
    'snapshot-after': {
      type: 'string',
      default: '1024',
      description: 'MiB of spool after which a snapshot is taken: a start replays about so much',
    },
    'batch-age': {
      type: 'string',
      description:
        'Longest that an event waits for its batch, ms (default: 500; up to 1000 while fewer than 50,000 events a second come)',
    },
    'accept-loss': {
      type: 'boolean',
      default: false,
      description: 'Where the spool has lost answered events: write down what is gone, and go on without it',
    },
    'log-level': { type: 'string', default: 'info', description: 'debug, info, warn or error' },
    'log-format': {
      type: 'string',
      description: 'pretty or json (default: pretty at a terminal, json elsewhere)',
    },
    ...jsonOption('Print one JSON object on standard output once ready'),
  },
  async run({ args, rawArgs }) {
    const log = createLog(levelOf(args['log-level']), formatOf(args['log-format']));
    const access = accessOptions(args, rawArgs, log);
    // Child processes inherit the environment.
    delete process.env[KEY_VARIABLE];
    const options: EngineOptions = {
      pipeline: resolve(args.pipeline ?? defaultPipeline()),
      data: folderOf(args.data),
      listen: args.listen,
      clickhouseListen: args['clickhouse-listen'],
      ...(args.clickhouse === undefined ? {} : { clickhouse: args.clickhouse }),
      workers:
        args.workers === undefined
          ? Math.max(1, availableParallelism() - 1)
          : wholeNumber('workers', args.workers, 1, 16),
      ingresses: wholeNumber('ingresses', args.ingresses, 1, 8),
      transport: transportOf(args.transport),
      ...access,
      framesPerSecondMax: wholeNumber('frames-per-second', args['frames-per-second'], 0, 1_000_000),
      spoolBytesMax: gibibytes('spool-max', args['spool-max'], SPOOL_GIB_MIN, 4096),
      ...(args['spool-segment'] === undefined
        ? {}
        : { segmentBytes: wholeNumber('spool-segment', args['spool-segment'], SEGMENT_MIB_MIN, 1024) * 2 ** 20 }),
      snapshotAfterBytes: wholeNumber('snapshot-after', args['snapshot-after'], 1, 65_536) * 2 ** 20,
      ...(args['batch-age'] === undefined
        ? {}
        : { batchAgeMs: wholeNumber('batch-age', args['batch-age'], 10, 60_000) }),
      acceptLoss: args['accept-loss'],
      log,
    };
    // Only now: what is wrong with the command line is told without loading the whole engine.
    const { startEngine } = await import('../engine/index.ts');
    const engine = await startEngine(options);
    // Whoever reads that it is ready may stop it at once.
    const stopped = untilStopped(engine.failed, log);
    const ready = {
      url: engine.url,
      clickhouse: engine.clickhouse.url,
      pid: process.pid,
      pipeline: engine.plan.pipeline,
      version: engine.plan.version,
      ...(engine.plan.zoneData === undefined ? {} : { zoneData: engine.plan.zoneData }),
      ...(engine.rebuilt === null ? {} : { rebuilt: engine.rebuilt }),
    };
    if (engine.rebuilt !== null && !args.json) {
      const { rows, entities, seconds } = engine.rebuilt;
      process.stdout.write(
        `rebuilt from ClickHouse, without a snapshot: ${rows} rows, ${entities} entities, ${seconds} s\n`,
      );
    }
    if (ready.zoneData !== undefined && !args.json) process.stdout.write(`time zones by IANA data ${ready.zoneData}\n`);
    if (args.json) process.stdout.write(`${JSON.stringify(ready)}\n`);
    else
      process.stdout.write(
        `ready: events and control on ${engine.url}, ClickHouse on ${engine.clickhouse.url}, pipeline ${ready.pipeline} ${ready.version}\n`,
      );
    await stopped;
    await Promise.race([engine.stop(), engine.failed]);
  },
});

function folderOf(text: string): string {
  if (text !== '') return resolve(text);
  throw new OperatingError('bad_option', 'no folder: data=; name the folder that holds everything that must survive');
}

function levelOf(text: string): LogLevel {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw new OperatingError('bad_option', `unknown log level: log-level=${text}; use debug, info, warn or error`);
}

function formatOf(text: string | undefined): LogFormat {
  if (text === undefined) return process.stderr.isTTY === true ? 'pretty' : 'json';
  if (text === 'pretty' || text === 'json') return text;
  throw new OperatingError('bad_option', `unknown log format: log-format=${text}; use pretty or json`);
}

function transportOf(text: string): WantedTransport {
  if (text === 'auto' || text === 'uws' || text === 'node') return text;
  throw new OperatingError('bad_option', `unknown transport: transport=${text}; use auto, uws or node`);
}

/** In bytes. */
function gibibytes(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return Math.floor(value * 2 ** 30);
  throw new OperatingError(
    'bad_option',
    `not a number from ${min} to ${max}, with at most 3 decimals: ${name}=${text}`,
  );
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OperatingError('bad_option', `not a whole number from ${min} to ${max}: ${name}=${text}`);
}

/** Resolves with the first signal; a second one ends the process at once. Rejects when a stage dies. */
function untilStopped(failed: Promise<never>, log: EngineOptions['log']): Promise<void> {
  const signalled = new Promise<void>((done) => {
    let signals = 0;
    const onSignal = (signal: string): void => {
      if (++signals > 1) endProcess(130);
      log('info', 'stopping; a second signal ends at once', { signal });
      done();
    };
    process.on('SIGINT', () => onSignal('SIGINT'));
    process.on('SIGTERM', () => onSignal('SIGTERM'));
  });
  return Promise.race([signalled, failed]);
}
