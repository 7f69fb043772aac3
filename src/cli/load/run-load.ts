/**
 * One load run from beginning to end: connects, sends by the schedule, waits for answers and for SQL, proves. Called by
 * cli/load.ts.
 */

import { build, type Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import { HuntControl, queryTarget, type LedgerLine, type PipelineDescription } from '../../client/index.ts';
import { OperatingError } from '../../errors.ts';
import type { BranchWeights, EventSource } from './events/event-source.ts';
import { gameEvents, isExampleGame } from '../../examples/treasure-hunt/load-events.ts';
import { patternEvents } from './events/pattern-events.ts';
import { typedEvents } from './events/typed-events.ts';
import { CourseWatch, STEP_MS } from './course.ts';
import { createFrameMaker, type FrameMaker } from './frames/frame-maker.ts';
import { eventFields, type EventFields, type KeyCounts } from './frames/key-fields.ts';
import { RUN_CHARACTERS } from './frames/slot.ts';
import { ProcessWatch } from './process-watch.ts';
import { reportOf, type LoadReport } from './report.ts';
import { LoadStream } from './stream.ts';
import { openHttpTransport, openWebSocketTransport } from './transport.ts';
import { newRows, producerName, prove, runColumns, VisibilityProbe, type Run } from './verify.ts';

export interface LoadOptions {
  readonly url: string;
  readonly key?: string | undefined;
  readonly protocol: 'ws' | 'http';
  /** Events a second; Infinity: as fast as answers come. */
  readonly rate: number;
  readonly connections: number;
  readonly eventsPerFrame: number;
  readonly durationMs: number;
  /** How many keys of each entity are drawn; of those that are not named: a default. */
  readonly keys: KeyCounts;
  /** How often each branch of the type oneof comes; absent: alike, or as the example game's players do. */
  readonly branches?: BranchWeights | undefined;
  /** A file of events that is repeated; absent: events are made from the pipeline's types. */
  readonly pattern?: { readonly file: string; readonly delimiter: string } | undefined;
  readonly zipfExponent: number;
  /** How much of frames is made in advance; absent: as much as makes them various. */
  readonly templateBytes?: number;
  readonly ack: 'durable' | 'stored';
  readonly seed: number;
  /** Frames unanswered at once on each connection; Infinity: as the server allows. */
  readonly framesInFlightMax: number;
  readonly reconnectMs: number;
  readonly clickhouse?: string | undefined;
  readonly progress: (line: string) => void;
  /** Length of the steps in which the run's course is told; absent: a minute. */
  readonly stepMs?: number;
  /** Told the resident memory of each minute. */
  readonly rssLog: (line: string) => void;
  /** Aborted: stop sending, and prove what was answered. */
  readonly signal?: AbortSignal;
}

/** Over all connections: more only fills queues. */
const BYTES_IN_FLIGHT_MAX = 6 << 20;
const CONNECTIONS_MAX = 1296;
const ANSWERS_MS = 120_000;
const SETTLE_MS = 120_000;
/** After an interruption. */
const HASTE_MS = 15_000;
const TICK_MS = 1;
/** As fast as answers come, it is answers that drive: this only sends again what waited. */
const IDLE_TICK_MS = 5;
const LIVE_MS = 1000;

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  checkConnections(options.connections);
  const control = new HuntControl(options);
  const [server, pipeline] = await Promise.all([control.server(), control.pipeline()]);
  const { plan } = pipeline;
  const tag = runTag();
  const fields = eventFields(plan, options.keys);
  const run: Run = {
    tag,
    eventsPerFrame: options.eventsPerFrame,
    connections: options.connections,
    idField: fields.id?.at(-1) ?? null,
    columns: runColumns(plan),
    target: await queryTarget(control, options.clickhouse),
  };
  const begin = await newRows(run);
  // After all requests: it keeps this thread busy for so long that the server hangs up on connections that lie idle.
  const maker = createFrameMaker(plan, fields, await eventSource(pipeline, fields, options), {
    ...options,
    webSocket: options.protocol === 'ws',
  });
  // Microseconds, and milliseconds.
  const latency = histogramTo(600_000_000);
  const visible = histogramTo(3_600_000);
  const sender = new Sender(options, control, { tag, maker, latency });
  await sender.connect();
  const cpuBefore = process.cpuUsage();
  const watch = new ProcessWatch(control, server, options.rssLog);
  const course = new CourseWatch(control, run.target, watch, options.stepMs ?? STEP_MS);
  const probe = new VisibilityProbe(run, begin, sender.streams, (ms) => {
    visible.recordValue(ms);
    course.visible(ms);
  });
  try {
    const interrupted = (): boolean => options.signal?.aborted === true;
    await sender.run((line) => options.progress(`${line}  visible p99 ${visible.getValueAtPercentile(99)} ms`));
    const steps = course.stop();
    await sender.answers(interrupted() ? HASTE_MS : ANSWERS_MS);
    await probe.settle(interrupted() ? HASTE_MS : SETTLE_MS, () => sender.failed);
    const cpu = process.cpuUsage(cpuBefore);
    const figures = watch.stop();
    await probe.stop();
    options.progress('counting in ClickHouse what was answered');
    const proof = await prove(run, sender.streams);
    const ledger = await linesOf(control).catch(() => null);
    return reportOf({
      options,
      plan,
      fields,
      server,
      tag,
      sender,
      probe,
      proof,
      ledger,
      figures,
      steps,
      latency,
      visible,
      loadCpuSeconds: (cpu.user + cpu.system) / 1e6,
    });
  } finally {
    watch.stop();
    course.stop();
    await probe.stop();
    sender.close();
  }
}

function checkConnections(connections: number): void {
  if (connections > CONNECTIONS_MAX)
    throw new OperatingError('bad_option', `too many connections: connections=${connections} max=${CONNECTIONS_MAX}`);
}

/** Unlike that of any other run that is still remembered. */
function runTag(): string {
  return Math.floor(Date.now() / 10)
    .toString(36)
    .slice(-RUN_CHARACTERS);
}

function histogramTo(highestTrackableValue: number): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue, numberOfSignificantValueDigits: 3 });
}

async function eventSource(
  { plan, importMap }: PipelineDescription,
  { required }: EventFields,
  { branches, pattern, progress }: LoadOptions,
): Promise<EventSource> {
  if (pattern !== undefined) return patternEvents({ ...pattern, plan, importMap, note: progress });
  return isExampleGame(plan) ? gameEvents(plan, branches) : typedEvents(plan, { branches, required });
}

async function linesOf(control: HuntControl): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  for await (const line of control.ledgerLines()) lines.push(line);
  return lines;
}

/** The open loop: frames fall due by the clock, whether or not earlier ones were answered. */
export class Sender {
  readonly streams: readonly LoadStream[];
  begunAt = 0;
  endedAt = 0;
  /** Frames that were due and could not go before the end. */
  unsent = 0;
  readonly #options: LoadOptions;
  readonly #latency: Histogram;
  /** ms between two frames; below 0: as fast as answers come. */
  readonly #intervalMs: number;
  #turn = 0;
  #handedOut = 0;
  #sending = false;

  constructor(
    options: LoadOptions,
    control: HuntControl,
    { tag, maker, latency }: { readonly tag: string; readonly maker: FrameMaker; readonly latency: Histogram },
  ) {
    this.#options = options;
    this.#latency = latency;
    this.#intervalMs = Number.isFinite(options.rate) ? (1000 * options.eventsPerFrame) / options.rate : -1;
    this.streams = Array.from({ length: options.connections }, (_, i) => {
      const connection = i.toString(36).padStart(2, '0');
      return new LoadStream({
        ...options,
        address: control.address,
        open: options.protocol === 'ws' ? openWebSocketTransport : openHttpTransport,
        producer: producerName(tag, connection),
        prefix: `${tag}${connection}`,
        maker,
        bytesInFlightMax: BYTES_IN_FLIGHT_MAX / options.connections,
        latency,
        warn: options.progress,
        settled: (stream) => this.#settled(stream),
      });
    });
  }

  get failed(): boolean {
    return this.streams.some((stream) => stream.failure !== null);
  }

  sum(pick: (stream: LoadStream) => number): number {
    return this.streams.reduce((total, stream) => total + pick(stream), 0);
  }

  async connect(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.connect()));
  }

  async run(live: (line: string) => void): Promise<void> {
    const { durationMs, signal, eventsPerFrame } = this.#options;
    this.begunAt = performance.now();
    this.#sending = true;
    let shownAt = this.begunAt;
    let shownFrames = 0;
    for (let now = this.begunAt; now - this.begunAt < durationMs && signal?.aborted !== true; now = performance.now()) {
      if (this.failed) break;
      if (this.#intervalMs < 0) for (const stream of this.streams) this.#settled(stream);
      else this.#sendDue(now);
      if (now - shownAt >= LIVE_MS) {
        const rate = Math.round(((this.#handedOut - shownFrames) * eventsPerFrame * 1000) / (now - shownAt));
        const p99 = (this.#latency.getValueAtPercentile(99) / 1000).toFixed(1);
        const waiting = this.sum((stream) => stream.unanswered);
        const seconds = Math.round((now - this.begunAt) / 1000);
        live(
          `${String(seconds).padStart(4)} s  ${rate.toLocaleString('en').padStart(9)} events/s  ${waiting} frames in flight  answer p99 ${p99} ms`,
        );
        shownAt = now;
        shownFrames = this.#handedOut;
      }
      await pause(this.#intervalMs < 0 ? IDLE_TICK_MS : TICK_MS);
    }
    // What fell due in the last pause.
    if (this.#intervalMs >= 0 && signal?.aborted !== true) this.#sendDue(performance.now());
    this.#sending = false;
    this.endedAt = performance.now();
    this.#countUnsent();
  }

  /** Waits for what is in flight, for a bounded time; what must be sent again is. */
  async answers(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    const open = (): number => this.sum((stream) => (stream.failure === null ? stream.unanswered : 0));
    while (open() > 0 && performance.now() < until) {
      for (const stream of this.streams) stream.send(0, 0, 0);
      await pause(IDLE_TICK_MS);
    }
    for (const stream of this.streams) if (stream.failure !== null) this.#options.progress(stream.failure.message);
  }

  close(): void {
    for (const stream of this.streams) stream.close();
  }

  #settled(stream: LoadStream): void {
    if (!this.#sending) return;
    if (this.#intervalMs < 0) {
      if (performance.now() - this.begunAt < this.#options.durationMs) this.#handedOut += stream.send(Infinity, 0, -1);
    } else if (this.#dueAt(performance.now()) > this.#handedOut) this.#sendDue(performance.now());
  }

  #dueAt(now: number): number {
    return Math.floor(Math.min(now - this.begunAt, this.#options.durationMs) / this.#intervalMs);
  }

  /** Hands out what is due, in equal shares as far as credits go; the rest stays due from when it was. */
  #sendDue(now: number): void {
    let due = this.#dueAt(now) - this.#handedOut;
    for (let i = 0; i < this.streams.length && due > 0; i++) {
      const stream = this.streams[this.#turn++ % this.streams.length]!;
      const share = Math.ceil(due / (this.streams.length - i));
      const went = stream.send(share, this.begunAt + (this.#handedOut + 1) * this.#intervalMs, this.#intervalMs);
      this.#handedOut += went;
      due -= went;
    }
  }

  /** They waited at least this long: leaving them out would make the quantiles better than they are. */
  #countUnsent(): void {
    if (this.#intervalMs < 0) return;
    const due = this.#dueAt(this.endedAt);
    this.unsent = Math.max(0, due - this.#handedOut);
    for (let frame = this.#handedOut + 1; frame <= due; frame++) {
      const waited = this.endedAt - this.begunAt - frame * this.#intervalMs;
      this.#latency.recordValue(Math.max(1, Math.round(waited * 1000)));
    }
  }
}
