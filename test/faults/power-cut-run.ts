/**
 * One life of the engine, from a start to a power cut: clients send, workers decide, the spool commits, answers go out, a
 * snapshot is copied in between, what is stored is trimmed. One thread; a seeded chance says what happens next.
 */

import { vi } from 'vitest';
import { ANSWER_BODY_AT, readAnswerEpochLow } from '../../native-free-core/layout/answer-record.ts';
import { readSlot, readGeneration, type ConnectionAddress } from '../../native-free-core/layout/connection-record.ts';
import { EPOCH_LOW } from '../../native-free-core/layout/control-layout.ts';
import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { readHighestSeq } from '../../native-free-core/layout/hello-record.ts';
import { RECORD_ANSWER, RECORD_HELLO, RECORD_REPEAT } from '../../native-free-core/layout/record-kinds.ts';
import { readRepeat } from '../../native-free-core/layout/repeat-record.ts';
import { createSeq, seqNumber } from '../../native-free-core/layout/seq.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { putOpen, putFrame, putClose } from '../../native-free-core/ring/frame-lane.ts';
import { claim, openLane, release, type Lane } from '../../native-free-core/ring/lane.ts';
import { enterLedger } from '../../src/recovery/recover-tables.ts';
import { SnapshotKeeper } from '../../src/recovery/snapshot-keeper.ts';
import { createSnapshot } from '../../src/spool/snapshot-file.ts';
import { SpoolWriter } from '../../src/spool/spool-writer.ts';
import { readAnswer, type AnswerBody } from '../e2e/wire-client.ts';
import type { LossyStorage, Random } from '../spool/lossy-storage.ts';
import {
  HELLO,
  expectedOf,
  isGood,
  nextFrame,
  type Client,
  type Expected,
  type SentFrame,
} from './power-cut-clients.ts';
import type { History } from './power-cut-history.ts';
import {
  MARK,
  SNAPSHOTS,
  SPOOL,
  durableOf,
  openOwnLane,
  readEpochs,
  segmentBytesOf,
  type Recovered,
  noText,
} from './power-cut-start.ts';
import { HandWorkers } from './power-cut-workers.ts';
import {
  after,
  reaches,
  earlier,
  isBefore,
  BEFORE_FIRST,
  positionOf,
  written,
  type Position,
} from '../../src/contract/event-log.ts';

export interface RunOptions {
  readonly plan: Plan;
  readonly disk: LossyStorage;
  readonly recovered: Recovered;
  readonly workers: number;
  readonly barrier: boolean;
  readonly clients: readonly Client[];
  readonly random: Random;
  readonly clock: Clock;
  readonly history: History;
  /** Enters what is stored while the engine runs; the oracle sees it at the next start. */
  readonly store: (through: Position) => void;
}

export interface Clock {
  ms: number;
}

export interface RunFigures {
  answeredEvents: number;
  repeated: number;
}

const IN_FLIGHT_MAX = 5;
/** How far the others may run ahead while one waits for the end of an epoch. */
const STEPS_AHEAD_MAX = 12;
const STEPS_MAX = 200_000;

export class Run {
  readonly figures: RunFigures = { answeredEvents: 0, repeated: 0 };
  /** Clients send what is new, too, and not only what they must send again. */
  sendsNew = true;
  readonly #options: RunOptions;
  readonly #workers: HandWorkers;
  readonly #writer: SpoolWriter;
  readonly #snapshots: SnapshotKeeper;
  readonly #frameLanes: readonly Lane[];
  readonly #answerLanes: readonly Lane[];
  readonly #whenDurable: { readonly epoch: Position; readonly resolve: () => void }[] = [];

  constructor(options: RunOptions) {
    const { plan, disk, recovered, workers, clients, random, clock } = options;
    const { memory, control, tables, ledger, spool } = recovered;
    this.#options = options;
    this.#writer = new SpoolWriter({
      storage: disk,
      directory: SPOOL,
      markFile: MARK,
      segmentBytes: segmentBytesOf(memory),
      spoolBytesMax: 2 ** 40,
      sparesMax: 2,
      recovered: spool,
      fromEpoch: after(spool.lastEpoch),
      control: control.words,
      lanes: memory.blockLanes.map(openLane),
      ingressCount: 1,
      now: () => clock.ms,
      log: (_, message) => {
        throw new Error(message);
      },
    });
    this.#workers = new HandWorkers({ ...options, now: () => clock.ms });
    this.#frameLanes = memory.frameLanes.map((_, worker) => openOwnLane(memory.frameLanes, worker));
    this.#answerLanes = memory.durableLanes.map((_, worker) => openOwnLane(memory.durableLanes, worker));
    this.#snapshots = new SnapshotKeeper({
      running: () => ({ plan, tables }),
      ledger,
      create: (fromEpoch) =>
        createSnapshot(
          disk,
          SNAPSHOTS,
          { fromEpoch, pipelineVersion: plan.version, sections: {} },
          { bytesPerSecondMax: Number.POSITIVE_INFINITY },
        ),
      durableEpoch: () => durableOf(recovered),
      touchedEpoch: control.touchedEpoch,
      whenDurable: (epoch) =>
        reaches(durableOf(recovered), epoch)
          ? Promise.resolve()
          : new Promise((resolve) => this.#whenDurable.push({ epoch, resolve })),
    });
    for (const client of clients) {
      client.waiting.length = 0;
      for (const frame of client.frames) frame.sent = false;
      this.#open(client, Math.floor(random() * workers));
    }
  }

  /** Until nothing is to be sent, decided or answered any more; `sendsNew` must be off. */
  async settle(): Promise<void> {
    const { clients } = this.#options;
    const busy = (): boolean =>
      clients.some((client) => client.queue.length + client.waiting.length > 0) || !this.#workers.isIdle();
    await this.#runWhile(busy);
  }

  /** A while of this life without a cut; at its end nothing is under way, and all is durable. */
  async liveFor(steps: number): Promise<void> {
    let left = steps;
    await this.#runWhile(() => left-- > 0);
    this.sendsNew = false;
    await this.settle();
    this.sendsNew = true;
    this.commitAll();
  }

  /** Commits what the workers have sealed. */
  commitAll(): void {
    while (this.#writer.commitWaiting() > 0);
  }

  /** Until the power is cut; a snapshot is taken on the way where one is asked for. */
  async runUntilCut(snapshot: boolean): Promise<void> {
    let startAt = snapshot ? Math.floor(this.#options.random() * 150) : Number.POSITIVE_INFINITY;
    await this.#runWhile(() => {
      if (startAt-- <= 0 && !this.#snapshots.running) {
        startAt = Number.POSITIVE_INFINITY;
        this.#snapshots.take().catch((error: unknown) => {
          if (!this.#options.disk.crashed) throw error;
        });
      }
      return true;
    });
  }

  async #runWhile(condition: () => boolean): Promise<void> {
    const waiting = vi.spyOn(Atomics, 'wait').mockImplementation(((words: Int32Array, index: number) => {
      this.#whileWaiting(words === this.#options.recovered.control.words && index === EPOCH_LOW);
      return 'timed-out';
    }) as never);
    try {
      for (let steps = 0; condition() && !this.#options.disk.crashed; steps++) {
        if (steps === STEPS_MAX) throw new Error('the run does not get to its end');
        this.#step();
        if (this.#snapshots.running) await this.#letSnapshotGoOn(steps);
      }
    } catch (error) {
      if (!this.#options.disk.crashed) throw error;
    } finally {
      waiting.mockRestore();
    }
  }

  /** Its copying goes chunk by chunk between the steps of the workers. */
  async #letSnapshotGoOn(steps: number): Promise<void> {
    for (let turn = this.#options.random() * 12; turn > 0; turn--) await Promise.resolve();
    if (steps % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A worker waits: at the epoch's end for the others, otherwise for room in a lane. */
  #whileWaiting(forOthers: boolean): void {
    const words = this.#options.recovered.control.words;
    if (!forOthers) {
      this.#writer.commitWaiting();
      this.#answer();
      return;
    }
    const epoch = words[EPOCH_LOW];
    for (let steps = 0; words[EPOCH_LOW] === epoch; steps++) {
      if (steps === STEPS_MAX) throw new Error('the epoch does not end');
      this.#step();
    }
    for (let ahead = Math.floor(this.#options.random() * STEPS_AHEAD_MAX); ahead > 0; ahead--) this.#workers.step();
  }

  #step(): void {
    const { random, clock } = this.#options;
    clock.ms += Math.floor(random() * 40);
    if (random() < 0.002) clock.ms += 6000;
    const dice = random();
    if (dice < 0.3) this.#send();
    else if (dice < 0.33) this.#commit();
    else if (dice < 0.34) this.#keepHouse();
    else if (dice < 0.342) this.#reconnect();
    else if (!this.#workers.step()) this.#commit();
  }

  #commit(): void {
    this.#writer.commitWaiting();
    const durable = durableOf(this.#options.recovered);
    const reached = this.#whenDurable.filter(({ epoch }) => reaches(durable, epoch));
    for (const one of reached) {
      this.#whenDurable.splice(this.#whenDurable.indexOf(one), 1);
      one.resolve();
    }
    this.#answer();
  }

  /** What is durable is stored, and enters the ledger; what a snapshot covers besides is trimmed. */
  #keepHouse(): void {
    const { recovered, history, store, disk, barrier, random } = this.#options;
    const { ledger } = recovered;
    if (random() < 0.5 && barrier) {
      const durable = durableOf(recovered);
      for (const { epoch, blocks } of readEpochs(disk, after(ledger.epoch), durable))
        enterLedger(ledger, epoch, blocks, noText);
      store(durable);
      const entered = positionOf(history.epochs.length);
      const needed = earlier(this.#snapshots.neededFrom, after(earlier(entered, durable)));
      if (isBefore(BEFORE_FIRST, needed)) this.#writer.trim(needed);
    }
    this.#writer.work();
  }

  #send(): void {
    const { clients, random, clock } = this.#options;
    const client = clients[Math.floor(random() * clients.length)];
    if (client.waiting.length >= IN_FLIGHT_MAX) return;
    let frame = client.queue[0];
    if (frame === undefined && !this.sendsNew) return;
    if (frame === undefined && random() < 0.1) frame = client.frames[Math.floor(random() * client.frames.length)];
    frame ??= nextFrame(client, clock.ms, random);
    if (this.#write(client, frame) && frame === client.queue[0]) client.queue.shift();
    // The lane is full: as after a RETRY, it is sent later.
    else if (!frame.sent && !client.queue.includes(frame)) client.queue.unshift(frame);
  }

  #write(client: Client, frame: SentFrame): boolean {
    const lane = this.#frameLanes[client.worker];
    if (!putFrame(lane, addressOf(client), createSeq(frame.seq), this.#options.clock.ms, frame.bytes)) return false;
    client.waiting.push({ frame, expected: expectedOf(frame) });
    frame.sent = true;
    return true;
  }

  #open(client: Client, worker: number): void {
    client.worker = worker;
    client.generation++;
    const lane = this.#frameLanes[worker];
    const isOpen = putOpen(lane, {
      ...addressOf(client),
      encoding: ENCODING_CODES.protobuf,
      answerEncoding: ENCODING_CODES.protobuf,
      stored: false,
      hello: client.name !== '',
      dedup: false,
      producerName: new TextEncoder().encode(client.name),
    });
    if (!isOpen) throw new Error('no room to open a connection');
  }

  /** The connection breaks: its answers are lost, and the client sends again on another one, to any worker. */
  #reconnect(): void {
    const { clients, random, workers } = this.#options;
    const client = clients[Math.floor(random() * clients.length)];
    const lane = this.#frameLanes[client.worker];
    if (!putClose(lane, addressOf(client))) return;
    this.#open(client, Math.floor(random() * workers));
    const again = client.waiting.splice(0);
    for (const { frame } of again) {
      if (!this.#write(client, frame)) throw new Error('no room to send again');
      client.waiting[client.waiting.length - 1] = { frame, expected: 'either' };
    }
  }

  /** As ingress does: answers of durable epochs leave in their order, those of a lost connection for nobody. */
  #answer(): void {
    const durable = written(durableOf(this.#options.recovered));
    for (const lane of this.#answerLanes) {
      for (let at = claim(lane); at !== LANE_EMPTY; at = claim(lane)) {
        const client = this.#options.clients[readSlot(lane.view, at)];
        if (!this.#options.barrier) {
          // Its epochs are not the log's: nothing that is answered can be held to.
          client.waiting.length = 0;
          release(lane);
          continue;
        }
        if (((readAnswerEpochLow(lane.view, at) - durable) | 0) > 0) break;
        if (client.generation === readGeneration(lane.view, at)) this.#take(client, lane, at);
        release(lane);
      }
    }
  }

  #take(client: Client, lane: Lane, at: number): void {
    const seq = createSeq();
    if (lane.claimedKind === RECORD_HELLO) {
      const highest = Math.max(0, ...client.frames.map(({ durable, seq }) => (durable ? seq : 0)));
      readHighestSeq(lane.view, at, seq);
      const said = seqNumber(seq);
      if (said < highest) throw new Error(`highest seq of ${client.name}: said=${said} durable=${highest}`);
      return;
    }
    const waiting = client.waiting.shift();
    if (waiting === undefined) throw new Error(`an answer that nobody waits for: client=${client.name}`);
    const { frame, expected } = waiting;
    const name = `${client.name}/${frame.seq} of ${frame.events[0].id}`;
    if (lane.claimedKind === RECORD_REPEAT) {
      readRepeat(lane, at, seq);
      if (seqNumber(seq) !== frame.seq) throw new Error(`answers are out of order: frame=${name}`);
      if (expected === 'new') throw new Error(`a new frame was taken for a repeated one: frame=${name}`);
      this.figures.repeated++;
      return;
    }
    const answer = readAnswer(lane.bytes.slice(at + ANSWER_BODY_AT, at + lane.claimedBytes), HELLO);
    if (lane.claimedKind !== RECORD_ANSWER || answer.seq !== String(frame.seq) || answer.status !== 'OK')
      throw new Error(`not the answer to frame=${name}: ${JSON.stringify(answer)}`);
    if (client.name === '') this.#takeById(frame, expected, answer);
    else {
      if (expected === 'repeated') throw new Error(`a repeated frame was taken: frame=${name}`);
      const refused = frame.events.map((event) => (isGood(event) ? '' : 'no_key'));
      this.#keep(frame, answer, refused);
    }
  }

  /** An answer that says what was decided; `refused`: by event why not. */
  #keep(frame: SentFrame, answer: AnswerBody, refused: readonly string[]): void {
    checkRefused(answer, refused);
    frame.answer = answer.decisions.map((decision) => decision?.['care'] ?? null);
    this.figures.answeredEvents += frame.events.length;
  }

  /** Without a producer the event ids protect: of a frame all good events are new, or none. */
  #takeById(frame: SentFrame, expected: Expected, answer: AnswerBody): void {
    if (!frame.events.some(isGood)) return;
    const repeated = answer.rejections.some(({ code }) => code === 'duplicate');
    if (expected !== 'either' && repeated !== (expected === 'repeated'))
      throw new Error(`by its ids a frame is ${repeated ? 'repeated' : 'new'}, not ${expected}: ${frame.events[0].id}`);
    const refused = frame.events.map((event) => (isGood(event) ? (repeated ? 'duplicate' : '') : 'no_key'));
    if (!repeated) this.#keep(frame, answer, refused);
    else {
      checkRefused(answer, refused);
      this.figures.repeated++;
    }
  }
}

function checkRefused({ rejections }: AnswerBody, refused: readonly string[]): void {
  const said = refused.map((_, i) => rejections.find(({ index }) => index === i)?.code ?? '');
  if (said.join() !== refused.join()) throw new Error(`refused ${said.join()} instead of ${refused.join()}`);
}

function addressOf({ connection, generation }: Client): ConnectionAddress {
  return { slot: connection, generation };
}
