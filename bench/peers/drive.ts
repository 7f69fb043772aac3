/**
 * The load of this engine and of the Node services, a process of its own: makes the list of events, prints that it is
 * ready, and then for each line on its standard input drives one phase and prints its result. Started by node-load.ts.
 */

import { build } from 'hdr-histogram-js';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { serverAddress } from '../../client/src/address.ts';
import { LoadStream } from '../../src/cli/load/load-stream.ts';
import { openWebSocketTransport } from '../../src/cli/load/load-transport.ts';
import { jsonList, makeEventList, type Encoding, type EventList, type ListShape } from './event-list.ts';
import { openJsonTransport } from './json-transport.ts';
import { ListFrames, RUN_CHARACTERS } from './list-frames.ts';
import type { Phase, PhaseResult } from './systems.ts';

export interface DriveOptions {
  readonly url: string;
  readonly encoding: Encoding;
  readonly list: ListShape;
}

const TICK_MS = 1;
const BYTES_IN_FLIGHT_MAX = 6 << 20;
const RECONNECT_MS = 1000;
const LATENCY_MAX_US = 600_000_000;

const options = JSON.parse(process.argv[2]!) as DriveOptions;
const list = await listOf(options);
console.log(JSON.stringify({ ready: list.count }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await drive(JSON.parse(line) as Phase)));
}

async function listOf({ list: shape, encoding }: DriveOptions): Promise<EventList> {
  const protobuf = await makeEventList(shape);
  return encoding === 'json' ? jsonList(protobuf) : protobuf;
}

async function drive(phase: Phase): Promise<PhaseResult> {
  const { connections, eventsPerFrame, events, rate } = phase;
  const latency = build({ highestTrackableValue: LATENCY_MAX_US, numberOfSignificantValueDigits: 3 });
  const frames = events / eventsPerFrame;
  let left = 0;
  const fill = (stream: LoadStream): void => {
    if (rate === 0 && left > 0) left -= stream.send(left, 0, -1);
  };
  const streams = Array.from({ length: connections }, (_, connection) => streamOf(phase, connection, latency, fill));
  await Promise.all(streams.map((stream) => stream.connect()));
  left = frames;
  const begunAt = performance.now();
  const until = begunAt + phase.timeoutMs;
  const answered = (): number => streams.reduce((sum, stream) => sum + stream.answered, 0);
  for (let turn = 0; answered() < frames;) {
    const failure = streams.find((stream) => stream.failure !== null)?.failure;
    if (failure) throw failure;
    const refused = streams.reduce((sum, stream) => sum + stream.rejectedEvents + stream.rejectedFrames, 0);
    if (refused > 0) throw new Error(`events or frames were refused: ${refused}`);
    if (performance.now() > until) throw new Error(`not answered in ${phase.timeoutMs} ms: ${answered()} of ${frames}`);
    if (rate === 0) for (const stream of streams) fill(stream);
    else turn += sendDue(streams, { rate, eventsPerFrame, frames, begunAt, turn });
    // What the server asked for again.
    for (const stream of streams) if (stream.unanswered > stream.inFlight) stream.send(0, 0, 0);
    await pause(TICK_MS);
  }
  const seconds = (performance.now() - begunAt) / 1000;
  for (const stream of streams) stream.close();
  const at = (percent: number): number => latency.getValueAtPercentile(percent) / 1000;
  const retried = streams.reduce((sum, stream) => sum + stream.retried, 0) * eventsPerFrame;
  return { answered: answered() * eventsPerFrame, seconds, retried, p50: at(50), p99: at(99), p999: at(99.9) };
}

function streamOf(
  phase: Phase,
  connection: number,
  latency: ReturnType<typeof build>,
  settled: (stream: LoadStream) => void,
): LoadStream {
  const { run, connections, eventsPerFrame, framesInFlightMax, isSample } = phase;
  const { encoding, url } = options;
  const shape = { encoding, eventsPerFrame, connection, connections, isSample, run: run.slice(0, RUN_CHARACTERS) };
  return new LoadStream({
    address: serverAddress(url, undefined),
    open: encoding === 'json' ? openJsonTransport : openWebSocketTransport,
    producer: `peers-${run}-${connection}`,
    prefix: run,
    ack: 'durable',
    maker: new ListFrames(list, shape),
    eventsPerFrame,
    framesInFlightMax,
    bytesInFlightMax: BYTES_IN_FLIGHT_MAX / connections,
    reconnectMs: RECONNECT_MS,
    latency,
    warn: (message) => console.error(message),
    settled,
  });
}

interface Schedule {
  readonly rate: number;
  readonly eventsPerFrame: number;
  readonly frames: number;
  readonly begunAt: number;
  /** Frames that have gone. */
  readonly turn: number;
}

/** An open loop: a frame's time counts from when it was due. Returns how many went. */
function sendDue(streams: readonly LoadStream[], schedule: Schedule): number {
  const intervalMs = (1000 * schedule.eventsPerFrame) / schedule.rate;
  const due = Math.min(schedule.frames, Math.floor((performance.now() - schedule.begunAt) / intervalMs));
  let number = schedule.turn;
  while (number < due) {
    const sent = streams[number % streams.length]!.send(1, schedule.begunAt + number * intervalMs, intervalMs);
    if (sent === 0) break;
    number++;
  }
  return number - schedule.turn;
}
