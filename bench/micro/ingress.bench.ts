/**
 * What an ingress thread can do: WebSocket frames in, answers out, through real sockets and lanes. This thread is both the
 * client, which writes frames masked beforehand, and the worker, which answers each frame as soon as it sees it.
 *
 * "per busy second" divides by the time that the ingress thread's loop was not idle: what one core of it can do.
 */

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { STATUS_OK, NO_PARTS, NO_WARNINGS } from '../../native-free-core/codec/answer.ts';
import { writeAnswerProto } from '../../native-free-core/codec/proto-answer.ts';
import { ANSWER_BODY_AT, writeAnswerHeader } from '../../native-free-core/layout/answer-record.ts';
import { readSlot, readGeneration } from '../../native-free-core/layout/connection-record.ts';
import {
  CONTROL_VERSION,
  CONTROL_WORDS,
  DURABLE_LOW,
  INGRESS_BELL,
} from '../../native-free-core/layout/control-layout.ts';
import { RECORD_OPEN, RECORD_FRAME, RECORD_ANSWER, RECORD_HELLO } from '../../native-free-core/layout/record-kinds.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { SEQ_BYTES, createSeq } from '../../native-free-core/layout/seq.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { claim, commit, createLane, openLane, release, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import { startIngress, type Ingress } from '../../src/ingress/start-ingress.ts';
import type { Bench, BenchFigure } from '../bench.ts';

interface Load {
  readonly name: string;
  /** Bytes of a frame, and events in it: for the answer's size. */
  readonly frameBytes: number;
  readonly events: number;
  readonly connections: number;
  /** Frames in flight on one connection, below what the ingress allows. */
  readonly window: number;
  readonly frames: number;
  readonly framesTiny: number;
}

const LOADS: readonly Load[] = [
  {
    name: 'one event of 70 bytes',
    frameBytes: 70,
    events: 1,
    connections: 8,
    window: 200,
    frames: 2_000_000,
    framesTiny: 2000,
  },
  {
    name: '500 events in 35 kB',
    frameBytes: 35_000,
    events: 500,
    connections: 4,
    window: 60,
    frames: 60_000,
    framesTiny: 200,
  },
  { name: 'one at a time', frameBytes: 70, events: 1, connections: 1, window: 1, frames: 20_000, framesTiny: 100 },
];
const LANE_BYTES = 8 << 20;
const MASK_BYTES = 4;

export const bench: Bench = {
  name: 'ingress',
  async run({ tiny }) {
    const figures: BenchFigure[] = [];
    for (const load of LOADS) figures.push(...(await runLoad(load, tiny)));
    return figures;
  },
};

async function runLoad(load: Load, tiny: boolean): Promise<BenchFigure[]> {
  const control = createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4);
  const memory = {
    ingresses: 1,
    control,
    frameLanes: [[createLane(LANE_BYTES)]],
    durableLanes: [[createLane(LANE_BYTES)]],
    storedLanes: [[createLane(LANE_BYTES)]],
  };
  let failure: unknown = null;
  const ingress = await startIngress({
    plan: { pipeline: 'bench', version: '1', decisions: [], entities: [] },
    memory,
    listen: '127.0.0.1:0',
    log: () => undefined,
    onFailure: (error) => (failure = error),
  });
  const worker = new AnsweringWorker(
    new Int32Array(control),
    openLane(memory.frameLanes[0][0]),
    openLane(memory.durableLanes[0][0]),
    load,
  );
  const frames = Math.floor((tiny ? load.framesTiny : load.frames) / load.connections);
  const opening = Array.from({ length: load.connections }, () =>
    Client.open(ingress.port, load, frames, worker.answer.length),
  );
  const hellos = setInterval(() => worker.turn(), 1);
  const clients = await Promise.all(opening);
  clearInterval(hellos);
  const busyBefore = await busySeconds(ingress, load.connections);
  const begun = performance.now();
  while (clients.some((client) => !client.done)) {
    worker.turn();
    for (const client of clients) client.write();
    if (failure !== null) throw failure;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - begun) / 1000;
  await ingress.stop();
  const busy = ingress.figures().busySeconds - busyBefore;
  const total = frames * load.connections;
  const checksum = `${worker.frames} frames ${worker.sum.toString(16)}`;
  const parameters = { ...load, frames: total };
  const figure = (name: string, unit: string, value: number): BenchFigure => ({
    name: `${load.name}: ${name}`,
    unit,
    value,
    checksum,
    parameters,
  });
  if (load.window === 1) return [figure('round trip', 'µs', (seconds * 1e6) / total)];
  return [
    figure('frames in and answered', 'frames/s', total / seconds),
    figure('frames in and answered per busy second', 'frames/s', total / busy),
    figure('bytes in per busy second', 'MB/s', (total * load.frameBytes) / busy / 1e6),
  ];
}

/** As of a report of the ingress thread that has seen all connections. */
async function busySeconds(ingress: Ingress, connections: number): Promise<number> {
  while (ingress.figures().connections < connections) await new Promise((resolve) => setTimeout(resolve, 10));
  return ingress.figures().busySeconds;
}

/** Answers every frame at once; each turn is an epoch. */
class AnsweringWorker {
  readonly #control: Int32Array;
  readonly #frames: Lane;
  readonly #answers: Lane;
  readonly answer: Uint8Array;
  #epoch = 0;
  frames = 0;
  sum = 0;

  constructor(control: Int32Array, frames: Lane, answers: Lane, load: Load) {
    this.#control = control;
    this.#frames = frames;
    this.#answers = answers;
    const rows = new Int32Array(load.events).map((_, i) => i);
    const actions = [new Uint16Array(load.events).fill(1), new Uint16Array(load.events).fill(2)];
    const bytes = new Uint8Array(64 + load.events * 2);
    const outcomes = new Int32Array(load.events);
    const end = writeAnswerProto(bytes, 0, {
      seq: createSeq(1),
      status: STATUS_OK,
      actions,
      eventRow: rows,
      eventOutcome: outcomes,
      first: 0,
      count: load.events,
      parts: NO_PARTS,
      warnings: NO_WARNINGS,
    });
    this.answer = bytes.slice(0, end);
  }

  turn(): void {
    const frames = this.#frames;
    this.#epoch++;
    for (let at = claim(frames); at >= 0; at = claim(frames)) {
      if (frames.claimedKind === RECORD_FRAME && !this.#write(RECORD_ANSWER, at, this.answer)) break;
      if (frames.claimedKind === RECORD_OPEN && !this.#write(RECORD_HELLO, at, NO_SEQ)) break;
      if (frames.claimedKind === RECORD_FRAME) {
        this.frames++;
        this.sum = (Math.imul(this.sum, 31) + frames.bytes[at + frames.claimedBytes - 1]) >>> 0;
      }
      release(frames);
    }
    Atomics.store(this.#control, DURABLE_LOW, this.#epoch);
    ring(this.#control, INGRESS_BELL);
  }

  #write(kind: number, from: number, body: Uint8Array): boolean {
    const lane = this.#answers;
    const at = reserve(lane, kind, ANSWER_BODY_AT + body.length);
    if (at < 0) return false;
    const { view } = this.#frames;
    const address = { slot: readSlot(view, from), generation: readGeneration(view, from) };
    writeAnswerHeader(lane.view, at, address, this.#epoch, STATUS_OK);
    lane.bytes.set(body, at + ANSWER_BODY_AT);
    commit(lane);
    return true;
  }
}

const NO_SEQ = new Uint8Array(SEQ_BYTES);

/** A WebSocket client that writes the same masked frames again and again, and counts the bytes of the answers. */
class Client {
  readonly #socket: Socket;
  readonly #chunk: Buffer;
  readonly #frameBytes: number;
  readonly #chunkFrames: number;
  readonly #window: number;
  readonly #answerBytes: number;
  #left: number;
  #sent = 0;
  #received = 0;

  /** Resolves once the hello has come. */
  static open(port: number, load: Load, frames: number, answerBytes: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: hunt.v1.proto\r\n\r\n',
    );
    return new Promise((done, failed) => {
      let head = Buffer.alloc(0);
      socket.once('error', failed);
      const onHead = (bytes: Buffer): void => {
        head = Buffer.concat([head, bytes]);
        const hello = head.indexOf('\r\n\r\n') + 4;
        if (hello < 4 || head.length < hello + 2) return;
        if (!head.subarray(0, hello).includes(' 101 ')) return failed(new Error(head.toString()));
        if (head.length < hello + 2 + head[hello + 1]) return;
        socket.off('data', onHead);
        done(new Client(socket, load, frames, answerBytes));
      };
      socket.on('data', onHead);
    });
  }

  constructor(socket: Socket, load: Load, frames: number, answerBytes: number) {
    const frame = maskedFrame(load.frameBytes);
    this.#socket = socket;
    this.#window = load.window;
    this.#chunkFrames = Math.max(1, this.#window >> 2);
    this.#chunk = Buffer.concat(Array<Buffer>(this.#chunkFrames).fill(frame));
    this.#frameBytes = frame.length;
    this.#answerBytes = answerBytes + (answerBytes < 126 ? 2 : 4);
    this.#left = frames;
    socket.on('data', (bytes) => (this.#received += bytes.length));
  }

  get done(): boolean {
    // A ping now and then is in it, too: far fewer bytes than an answer.
    return this.#left === 0 && this.#received >= this.#sent * this.#answerBytes;
  }

  write(): void {
    while (this.#left > 0) {
      const frames = Math.min(this.#left, this.#chunkFrames);
      if (this.#sent + frames - Math.floor(this.#received / this.#answerBytes) > this.#window) return;
      this.#socket.write(
        frames === this.#chunkFrames ? this.#chunk : this.#chunk.subarray(0, frames * this.#frameBytes),
      );
      this.#sent += frames;
      this.#left -= frames;
    }
  }
}

/** A binary message as a client sends it: its seq first, one long event behind. */
function maskedFrame(bytes: number): Buffer {
  const payload = new Uint8Array(bytes);
  payload.set([9, 1, 0, 0, 0, 0, 0, 0, 0]);
  for (let i = 9; i < bytes; i++) payload[i] = Math.imul(i, 2654435761) >>> 24;
  const mask = [0x12, 0x34, 0x56, 0x78];
  const head = bytes < 126 ? [0x82, 0x80 | bytes] : [0x82, 0x80 | 126, bytes >> 8, bytes & 255];
  const frame = Buffer.alloc(head.length + MASK_BYTES + bytes);
  frame.set([...head, ...mask]);
  for (let i = 0; i < bytes; i++) frame[head.length + MASK_BYTES + i] = payload[i] ^ mask[i % MASK_BYTES];
  return frame;
}
