/** Sends the frames of a load run over all connections, by the schedule or as fast as answers come. Made by run-load.ts. */

import type { Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import type { HuntControl } from '../../client/index.ts';
import type { FrameMaker } from './frames/frame-maker.ts';
import type { LoadOptions } from './load-options.ts';
import { LoadStream } from './load-stream.ts';
import { openHttpTransport, openWebSocketTransport } from './load-transport.ts';
import { producerName } from './verify.ts';

/** Over all connections: more only fills queues. */
const BYTES_IN_FLIGHT_MAX = 6 << 20;
const TICK_MS = 1;
/** As fast as answers come, it is answers that drive: this only sends again what waited. */
const IDLE_TICK_MS = 5;
const LIVE_MS = 1000;

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
