/** `hunt load`: puts a server under load in an open loop, and proves from the tables that nothing was lost or doubled. */

import { defineCommand } from 'citty';
import { build, type Histogram } from 'hdr-histogram-js';
import { OperatingError } from '../errors.ts';
import { createFrameMaker } from './load/game-frames.ts';
import { askClickHouse, getJson, httpUrl, processFigures, type ServerFacts } from './load/server-figures.ts';
import { LoadStream } from './load/stream.ts';
import { prove, startProbe } from './load/verify.ts';

export interface LoadOptions {
  readonly url: string;
  readonly key: string | undefined;
  /** Events a second; Infinity: as fast as answers come. */
  readonly rate: number;
  readonly connections: number;
  readonly eventsPerFrame: number;
  readonly durationMs: number;
  readonly players: number;
  readonly hunts: number;
  readonly zipfExponent: number;
  readonly ack: 'durable' | 'stored';
  readonly seed: number;
  readonly reconnectMs: number;
  readonly clickhouse: string | undefined;
  readonly progress: (line: string) => void;
}

/** Frames in flight over all connections: more only fills queues. */
const BYTES_IN_FLIGHT_MAX = 6 << 20;
const ANSWERS_MS = 120_000;
const SAMPLE_MS = 1000;

export const loadCommand = defineCommand({
  meta: {
    name: 'hunt load',
    description: 'Put a server under load and prove from its tables that nothing was lost or doubled.',
  },
  args: {
    url: { type: 'string', default: 'http://127.0.0.1:8700', description: 'The server' },
    key: { type: 'string', description: 'API key' },
    rate: { type: 'string', default: 'max', description: 'Events a second, or max' },
    connections: { type: 'string', default: '4', description: 'Connections, each a producer' },
    'events-per-frame': { type: 'string', default: '500', description: 'Events in each frame' },
    duration: { type: 'string', default: '10s', description: 'How long to send: 30s, 5m' },
    players: { type: 'string', default: '200000', description: 'Players, chosen by Zipf’s law' },
    hunts: { type: 'string', default: '5000', description: 'Hunts, likewise' },
    zipf: { type: 'string', default: '1', description: 'Exponent of Zipf’s law' },
    ack: {
      type: 'enum',
      options: ['durable', 'stored'],
      default: 'durable',
      description: 'When a frame counts as answered',
    },
    seed: { type: 'string', default: '1', description: 'Of the events’ contents' },
    'reconnect-for': { type: 'string', default: '60s', description: 'How long to wait for a server that went away' },
    clickhouse: { type: 'string', description: 'ClickHouse to ask (default: the one that the server names)' },
    json: { type: 'boolean', default: false, description: 'Print one JSON object' },
  },
  async run({ args }) {
    const rate = args.rate === 'max' ? Infinity : Number(args.rate);
    if (!(rate > 0))
      throw new OperatingError('bad_option', `not a rate: rate=${args.rate}; write events a second, or max`);
    const result = await runLoad({
      url: args.url,
      key: args.key,
      rate,
      connections: positive('connections', args.connections),
      eventsPerFrame: positive('events-per-frame', args['events-per-frame']),
      durationMs: duration('duration', args.duration),
      players: positive('players', args.players),
      hunts: positive('hunts', args.hunts),
      zipfExponent: Number(args.zipf),
      ack: args.ack as 'durable' | 'stored',
      seed: positive('seed', args.seed),
      reconnectMs: duration('reconnect-for', args['reconnect-for']),
      clickhouse: args.clickhouse,
      progress: (line) => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : `${table(result)}\n`);
    if (result.lost !== 0 || result.duplicated !== 0 || result.unanswered !== 0) process.exitCode = 1;
  },
});

export async function runLoad(options: LoadOptions) {
  const url = httpUrl(options.url);
  const server = await getJson<ServerFacts>(url, '/v1/server', options.key);
  const clickhouse = options.clickhouse ?? server.clickhouse.url;
  const database = server.clickhouse.database;
  await askClickHouse(clickhouse, 'SELECT 1');
  const run = `load-${Date.now().toString(36)}-`;
  const latency = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const visible = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000,
    numberOfSignificantValueDigits: 3,
  });
  const maker = createFrameMaker({ ...options, webSocket: true });
  const runTag = (Date.now() % 46656).toString(36).padStart(3, '0');
  const streams = Array.from(
    { length: options.connections },
    (_, i) =>
      new LoadStream({
        url,
        key: options.key,
        producer: `${run}${i}`,
        prefix: `${runTag}${i.toString(36).slice(-1)}`,
        ack: options.ack,
        maker,
        eventsPerFrame: options.eventsPerFrame,
        bytesInFlightMax: Math.max(maker.bytes(1), BYTES_IN_FLIGHT_MAX / options.connections),
        reconnectMs: options.reconnectMs,
        latency,
        warn: options.progress,
      }),
  );
  if (options.connections > 36)
    throw new OperatingError('bad_option', `too many connections: connections=${options.connections}; at most 36`);
  await Promise.all(streams.map((stream) => stream.connect()));
  const before = cpu(server);
  const memory = sampleMemory(url, options.key);
  const probe = startProbe(clickhouse, database, run, streams, visible);
  const begun = performance.now();
  const onSignal = (): void => void (stopAt = 0);
  let stopAt = begun + options.durationMs;
  process.once('SIGINT', onSignal);
  await sendAll(streams, options, begun, () => performance.now() >= stopAt);
  const sentUntil = performance.now();
  await answersOf(streams, options.progress);
  const answered = streams.reduce((sum, stream) => sum + stream.answeredFrames, 0) * options.eventsPerFrame;
  const proof = await prove(clickhouse, database, run, answered, options.eventsPerFrame);
  await probe.stop();
  const facts = await getJson<ServerFacts>(url, '/v1/server', options.key);
  const after = cpu(facts);
  process.off('SIGINT', onSignal);
  const ledger = await getJson<object>(url, '/v1/ledger', options.key);
  streams.forEach((stream) => stream.close());
  const lastVisibleAt = Math.max(probe.lastVisibleAt(), Math.min(proof.drainedAt, probe.lastVisibleAt() + 200));
  const sum = (pick: (stream: LoadStream) => number): number =>
    streams.reduce((total, stream) => total + pick(stream), 0);
  return {
    sent: sum((s) => s.sent) * options.eventsPerFrame,
    answered,
    unanswered: sum((s) => s.inFlight) * options.eventsPerFrame,
    rejected_frames: sum((s) => s.rejectedFrames),
    stored: proof.stored,
    lost: Math.max(0, answered - proof.distinct),
    duplicated: proof.stored - proof.distinct,
    retried: sum((s) => s.retried),
    reconnects: sum((s) => s.reconnects),
    odd_frames: proof.oddFrames,
    events_per_second: Math.round(proof.stored / ((lastVisibleAt - begun) / 1000)),
    sent_per_second: Math.round((sum((s) => s.sent) * options.eventsPerFrame) / ((sentUntil - begun) / 1000)),
    answer_ms: quantiles(latency, 1000),
    answer_ms_from: options.rate === Infinity ? 'sending' : 'the intended time (coordinated omission corrected)',
    visible_ms: quantiles(visible, 1),
    cpu_seconds: {
      server: round(after.server - (facts.pid === server.pid ? before.server : 0)),
      clickhouse: round(after.clickhouse - (facts.clickhouse.pid === server.clickhouse.pid ? before.clickhouse : 0)),
      load: round(process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6),
    },
    seconds: round((lastVisibleAt - begun) / 1000),
    ...memory.stop(),
    workers: server.workers,
    rate: options.rate === Infinity ? 'max' : options.rate,
    connections: options.connections,
    events_per_frame: options.eventsPerFrame,
    players: options.players,
    seed: options.seed,
    ledger,
  };
}

type LoadResult = Awaited<ReturnType<typeof runLoad>>;

async function sendAll(
  streams: readonly LoadStream[],
  options: LoadOptions,
  begun: number,
  over: () => boolean,
): Promise<void> {
  const framesPerMs = options.rate / options.eventsPerFrame / 1000;
  let handedOut = 0;
  let reported = begun;
  let reportedFrames = 0;
  let turn = 0;
  while (!over()) {
    const failed = streams.find((stream) => stream.failure !== null);
    if (failed !== undefined) throw failed.failure!;
    const now = performance.now();
    let due = Number.isFinite(framesPerMs) ? Math.floor((now - begun) * framesPerMs) - handedOut : Infinity;
    let sent = 0;
    for (let i = 0; i < streams.length && due > 0; i++) {
      const stream = streams[turn++ % streams.length]!;
      if (!stream.ready) continue;
      const first = handedOut;
      const share = Number.isFinite(due) ? Math.ceil(due / (streams.length - i)) : 64;
      const count = stream.send(share, (index) =>
        Number.isFinite(framesPerMs) ? begun + (first + index + 1) / framesPerMs : now,
      );
      handedOut += count;
      due -= count;
      sent += count;
    }
    if (now - reported >= 1000) {
      const rate = ((handedOut - reportedFrames) * options.eventsPerFrame) / ((now - reported) / 1000);
      const waiting = streams.reduce((total, stream) => total + stream.inFlight, 0);
      options.progress(
        `${Math.round((now - begun) / 1000)} s: ${Math.round(rate).toLocaleString('en')} events/s, ${waiting} frames in flight`,
      );
      reported = now;
      reportedFrames = handedOut;
    }
    // With frames due and no credit, answers must come first; without, the next frame is due in a while.
    await new Promise((resolve) =>
      sent > 0 && !Number.isFinite(framesPerMs) ? setImmediate(resolve) : setTimeout(resolve, 1),
    );
  }
}

async function answersOf(streams: readonly LoadStream[], progress: (line: string) => void): Promise<void> {
  const until = performance.now() + ANSWERS_MS;
  while (streams.some((stream) => stream.inFlight > 0 && stream.failure === null) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const open = streams.reduce((total, stream) => total + stream.inFlight, 0);
  if (open > 0) progress(`${open} frames were never answered`);
}

function cpu(server: ServerFacts): { server: number; clickhouse: number } {
  return {
    server: processFigures(server.pid).cpuSeconds,
    clickhouse: processFigures(server.clickhouse.pid).cpuSeconds,
  };
}

/** Resident memory once a second, as maxima and as medians of each minute. */
function sampleMemory(url: URL, key: string | undefined) {
  const samples: { server: number; clickhouse: number }[] = [];
  let facts: ServerFacts | null = null;
  const timer = setInterval(() => {
    getJson<ServerFacts>(url, '/v1/server', key).then(
      (found) => (facts = found),
      () => undefined,
    );
    if (facts === null) return;
    samples.push({
      server: processFigures(facts.pid).rssBytes,
      clickhouse: processFigures(facts.clickhouse.pid).rssBytes,
    });
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      const max = (name: 'server' | 'clickhouse'): number => Math.max(0, ...samples.map((sample) => sample[name]));
      const minutes: { server: number; clickhouse: number }[] = [];
      for (let at = 0; at + 30 <= samples.length; at += 60) {
        const part = samples.slice(at, at + 60);
        const median = (name: 'server' | 'clickhouse'): number =>
          part.map((sample) => sample[name]).sort((a, b) => a - b)[part.length >> 1]!;
        minutes.push({ server: median('server'), clickhouse: median('clickhouse') });
      }
      return { rss_max_bytes: { server: max('server'), clickhouse: max('clickhouse') }, rss_by_minute: minutes };
    },
  };
}

function quantiles(histogram: Histogram, scale: number) {
  const at = (percent: number): number => round(histogram.getValueAtPercentile(percent) / scale);
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9) };
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new OperatingError('bad_option', `not a whole number above 0: ${name}=${text}`);
}

function duration(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (match === null) throw new OperatingError('bad_option', `not a duration: ${name}=${text}; write 30s, 500ms or 5m`);
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
}

function table(result: LoadResult): string {
  const { ledger: _, odd_frames: odd, ...rest } = result;
  const lines = Object.entries(rest).map(
    ([name, value]) => `${name.padEnd(20)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  if (odd.length > 0) lines.push(`odd_frames           ${JSON.stringify(odd)}`);
  return lines.join('\n');
}
