/** Ages and credits with a clock of the test's own, over a real lane. */

import { beforeEach, describe, expect, test } from 'vitest';
import { STATUS_OK } from '../../native-free-core/codec/answer.ts';
import { readAnswerProto } from '../../native-free-core/codec/messages.ts';
import { ENCODINGS } from '../../native-free-core/encodings/index.ts';
import { CONTROL_VERSION, CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import { claim, createLane, openLane, release, type Lane } from '../../native-free-core/ring/lane.ts';
import { Admission, ADMITTED } from '../../src/ingress/admission.ts';
import { CREDIT_MAX, CREDIT_MIN, CREDIT_START } from '../../src/ingress/frame-queue.ts';
import { Peers, type Peer } from '../../src/ingress/peers.ts';
import { StoredAnswers } from '../../src/ingress/stored-answers.ts';
import { frameJson, frameProto } from './rig.ts';

const AGE_MS_MAX = 250;

/** One worker that takes frames and answers when it is told to. */
class World {
  now = 1000;
  readonly #buffer = createLane(64 << 20);
  readonly #taker: Lane = openLane(this.#buffer);
  readonly admission = new Admission({
    control: new Int32Array(createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4)),
    frameLanes: [openLane(this.#buffer)],
    storedAnswers: new StoredAnswers([openLane(createLane(1 << 16))]),
    framesPerSecondMax: 0,
    queueAgeMsMax: AGE_MS_MAX,
    now: () => this.now,
  });
  readonly queue = this.admission.queues[0]!;
  readonly sent: Uint8Array[] = [];
  readonly #peers = new Peers();
  readonly #frames = new Map<string, Uint8Array>();
  #unanswered: Peer[] = [];
  #seq = 0;

  peer(encoding: 'protobuf' | 'json' = 'protobuf', stored = false): Peer {
    const code = ENCODING_CODES[encoding];
    const events = stored ? null : this.admission.eventCredit(0, code, code);
    const terms = { worker: 0, encoding: code, answerEncoding: code, stored, producer: '', credit: 1024, events };
    return this.#peers.add(terms, { send: (bytes) => this.sent.push(bytes.slice()), gather: (sends) => sends() });
  }

  admit(peer: Peer, events: number): number {
    const seq = ++this.#seq;
    const outcome = this.admission.admit(peer, this.#frame(peer.encoding, events), createSeq(seq));
    if (outcome === ADMITTED && !peer.stored) this.#unanswered.push(peer);
    return outcome;
  }

  #frame(encoding: number, events: number): Uint8Array {
    const key = `${encoding} ${events}`;
    const isJson = encoding === ENCODING_CODES.json;
    const frame = this.#frames.get(key) ?? (isJson ? Buffer.from(frameJson(1, events)) : frameProto(1, events));
    this.#frames.set(key, frame);
    return frame;
  }

  take(frames = Infinity): void {
    for (let i = 0; i < frames && claim(this.#taker) >= 0; i++) release(this.#taker);
  }

  answer(frames = Infinity): void {
    const out = new Uint8Array(64);
    for (const peer of this.#unanswered.splice(0, frames)) {
      this.queue.answered();
      const { answers } = ENCODINGS[peer.encoding === ENCODING_CODES.json ? 'json' : 'protobuf'];
      peer.answer(out.subarray(0, answers.writeRetry(out, 0, createSeq(1), 1)), STATUS_OK);
    }
  }

  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** As many frames as credits allow; after `waitMs` all are taken and answered. */
  round(peers: readonly Peer[], waitMs: number, events = 500): void {
    for (const peer of peers) {
      const { told } = peer.events!;
      while (peer.outstanding < 2 || peer.events!.events + events <= told)
        expect(this.admit(peer, events)).toBe(ADMITTED);
    }
    this.now += waitMs;
    this.queue.look();
    this.take();
    this.answer();
  }

  leave(peer: Peer): void {
    this.#peers.remove(peer);
  }
}

let world: World;
beforeEach(() => (world = new World()));

describe('age', () => {
  test('is that of the oldest frame without an answer, and 0 where all have one', () => {
    const peer = world.peer();
    const age = (): number => (world.queue.look(), world.queue.ageMs);
    expect(age()).toBe(0);
    world.admit(peer, 1);
    world.now += 40;
    world.admit(peer, 1);
    world.now += 10;
    expect(age()).toBe(50);
    world.take();
    world.now += 1;
    expect(age()).toBe(51);
    world.answer(1);
    world.now += 1;
    expect(age()).toBe(12);
    world.answer(1);
    world.now += 5000;
    expect(age()).toBe(0);
    expect(world.queue.takeAgeMax()).toBe(51);
    expect(world.queue.takeAgeMax()).toBe(0);
  });

  test('beyond its bound frames are refused until the oldest are answered, whoever sends', () => {
    const [slow, other] = [world.peer(), world.peer()];
    for (let i = 0; i < 15; i++) world.admit(slow, 1);
    world.take();
    world.now += AGE_MS_MAX;
    expect(world.admit(slow, 1)).toBe(ADMITTED);
    world.now += 150;
    // Behind its own answer it comes late enough; alone it waits the longer, the longer nothing has moved.
    expect(world.admit(slow, 1)).toBe(20);
    expect(world.admit(other, 1)).toBe(200);
    world.now += 10_000;
    expect(world.admit(other, 1)).toBe(1000);
    expect(world.admission.refused).toMatchObject({ age: 3, events: 0, frames: 0, lane: 0 });
    world.answer(15);
    world.now += 1;
    // The worker has not taken the last one.
    expect(world.admit(other, 1)).toBe(1000);
    world.take();
    world.answer(1);
    world.now += 1;
    expect(world.admit(other, 1)).toBe(ADMITTED);
    expect(world.unanswered).toBe(1);
  });

  test('few frames wait for a disk that stands still, and are not refused', () => {
    const [slow, other] = [world.peer(), world.peer()];
    world.admit(slow, 1);
    world.take();
    world.now += 10_000;
    expect(world.admit(other, 1)).toBe(ADMITTED);
    world.take();
    for (let i = 0; i < 14; i++) expect(world.admit(slow, 1)).toBe(ADMITTED);
    world.take();
    world.now += 1;
    expect(world.admit(other, 1)).not.toBe(ADMITTED);
  });

  test('holds while millions of frames come and go', () => {
    const peer = world.peer();
    for (let turn = 0; turn < 20_000; turn++) {
      for (let i = 0; i < 5; i++) expect(world.admit(peer, 1)).toBe(ADMITTED);
      world.now += turn % 3;
      world.take();
      if (turn % 7 === 6) world.answer();
      world.queue.look();
      expect(world.queue.ageMs).toBeLessThanOrEqual(9);
    }
    world.answer();
    world.now += 1;
    world.queue.look();
    expect(world.queue.ageMs).toBe(0);
  });

  test('answers that wait for ClickHouse do not make the queue old, frames that wait for the worker do', () => {
    const stored = world.peer('protobuf', true);
    expect(world.admit(stored, 1)).toBe(ADMITTED);
    world.take();
    world.now += 5000;
    expect(world.admit(stored, 1)).toBe(ADMITTED);
    world.now += AGE_MS_MAX + 1;
    expect(world.admit(stored, 1)).toBeGreaterThan(0);
    world.take();
    world.now += 1;
    expect(world.admit(stored, 1)).toBe(ADMITTED);
  });
});

describe('credit', () => {
  test('grows while it is used up and frames hardly wait for the worker', () => {
    const peer = world.peer();
    for (let i = 0; i < 400; i++) world.round([peer], 5);
    expect(world.queue.credit).toBe(CREDIT_MAX);
    expect(peer.events!.told).toBe(CREDIT_MAX);
  });

  test('stays where nobody uses it up', () => {
    const peer = world.peer();
    for (let i = 0; i < 400; i++) {
      world.admit(peer, 1);
      world.now += 5;
      world.take();
      world.answer();
    }
    expect(world.queue.credit).toBe(CREDIT_START);
  });

  test('falls while frames wait, but not below what keeps the worker busy, and comes back', () => {
    const peers = Array.from({ length: 10 }, () => world.peer());
    for (let i = 0; i < 100; i++) world.round(peers, 60);
    expect(world.queue.credit * peers.length).toBeLessThanOrEqual(25_000);
    expect(world.queue.credit * peers.length).toBeGreaterThanOrEqual(15_000);
    for (let i = 0; i < 500 && world.queue.credit < CREDIT_MAX; i++) world.round(peers, 5);
    expect(world.queue.credit).toBe(CREDIT_MAX);
  });

  test('falls to little where connections are many, and two frames always go', () => {
    const peers = Array.from({ length: 400 }, () => world.peer());
    for (let i = 0; i < 40; i++) world.round(peers, 60, 1000);
    expect(world.queue.credit).toBe(CREDIT_MIN);
    const [peer] = peers;
    expect(peer.events!.told).toBe(CREDIT_MIN);
    expect([world.admit(peer, 8000), world.admit(peer, 8000)]).toEqual([ADMITTED, ADMITTED]);
    expect(world.admit(peer, 1)).toBe(20);
    expect(world.admission.refused).toMatchObject({ events: 1, age: 0 });
  });

  test('connections that have gone count no more', () => {
    const gone = Array.from({ length: 10 }, () => world.peer());
    for (const peer of gone) for (let i = 0; i < 6; i++) world.admit(peer, 1000);
    for (const peer of gone) world.leave(peer);
    world.take();
    world.answer();
    world.now += 1001;
    const peer = world.peer();
    for (let i = 0; i < 100; i++) world.round([peer], 60);
    // 60,000 events in flight would make it fall.
    expect(world.queue.credit).toBeGreaterThanOrEqual(CREDIT_START);
  });

  test('begins anew after a second without frames', () => {
    const peers = Array.from({ length: 20 }, () => world.peer());
    for (let i = 0; i < 20; i++) world.round(peers, 60);
    expect(world.queue.credit).toBeLessThan(CREDIT_START / 4);
    world.now += 1001;
    expect(world.admit(peers[0], 1)).toBe(ADMITTED);
    expect(world.queue.credit).toBe(CREDIT_START);
  });

  test('a slow disk alone takes nothing of it: the worker would only stand still', () => {
    const peer = world.peer();
    for (let i = 0; i < 100; i++) {
      while (peer.events!.events + 500 <= peer.events!.told) world.admit(peer, 500);
      world.take();
      world.now += 200;
      world.queue.look();
      world.answer();
    }
    expect(world.queue.credit).toBe(CREDIT_START);
  });

  test('a client that keeps to what it was told is never refused, however it falls', () => {
    const peers = Array.from({ length: 20 }, () => world.peer());
    for (let i = 0; i < 300; i++) world.round(peers, i % 20 < 10 ? 80 : 1);
    expect(world.admission.refused.events).toBe(0);
  });

  test('one that ignores it is refused beyond twice of it', () => {
    const peer = world.peer();
    let admitted = 0;
    while (world.admit(peer, 500) === ADMITTED) admitted++;
    expect(admitted).toBe(Math.floor((2 * CREDIT_START) / 500));
  });

  test.each(['protobuf', 'json'] as const)('is told with the next answer, once: %s', (encoding) => {
    const peer = world.peer(encoding);
    world.admit(peer, 1);
    world.admit(peer, 1);
    world.queue.credit = 10_000;
    world.answer();
    const told = world.sent.map((bytes) =>
      encoding === 'protobuf'
        ? readAnswerProto(bytes)!.eventsInFlight
        : ((JSON.parse(Buffer.from(bytes).toString()) as { eventsInFlight?: number }).eventsInFlight ?? 0),
    );
    expect(told).toEqual([10_000, 0]);
  });

  test('is told again only once the frames of before have their answers', () => {
    const peer = world.peer();
    for (let i = 0; i < 6; i++) world.admit(peer, 1000);
    world.queue.credit = 1000;
    world.answer(1);
    expect(peer.events!.told).toBe(CREDIT_START / 2);
    world.answer(4);
    // Sent before its client could know better.
    expect(world.admit(peer, 1000)).toBe(ADMITTED);
    expect(peer.events!.told).toBe(CREDIT_START / 2);
    world.answer(2);
    expect(peer.events!.told).toBe(1000);
    expect(world.admission.refused.events).toBe(0);
  });

  test('events of JSON frames are counted now and then, and estimated by their bytes between', () => {
    const peer = world.peer('json');
    for (let i = 1; i <= 100; i++) expect(world.admit(peer, 40)).toBe(ADMITTED);
    expect(peer.events!.events).toBeGreaterThan(3900);
    expect(peer.events!.events).toBeLessThan(4100);
    world.take();
    world.answer();
    expect(peer.events!.events).toBe(0);
  });
});
