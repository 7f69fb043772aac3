/**
 * Who is connected to an ingress thread: a slot and a generation for each WebSocket, each HTTP session and each look-up that
 * waits. Workers name a peer by both, so an answer to someone who has left finds nobody. Ingress thread.
 */

/** Sends one answer; false where the peer cannot take it and must go. */
export type SendAnswer = (bytes: Uint8Array, status: number) => boolean;

/** An answer that must wait for its turn; `bytes` is null until a look-up has brought it. */
export interface HeldAnswer {
  bytes: Uint8Array | null;
  status: number;
}

/** A RETRY that goes out once the answers to the first `after` admitted frames have gone. */
interface DueRetry {
  readonly after: number;
  readonly bytes: Uint8Array;
}

export class Peer {
  readonly slot: number;
  readonly generation: number;
  readonly worker: number;
  readonly encoding: number;
  readonly stored: boolean;
  readonly producer: string;
  readonly send: SendAnswer;
  /** Frames handed to the worker, and how many of them have been answered or are held. */
  admitted = 0;
  answered = 0;
  readonly #held: HeldAnswer[] = [];
  readonly #retries: DueRetry[] = [];

  constructor(slot: number, generation: number, worker: number, encoding: number, stored: boolean, producer: string, send: SendAnswer) {
    this.slot = slot;
    this.generation = generation;
    this.worker = worker;
    this.encoding = encoding;
    this.stored = stored;
    this.producer = producer;
    this.send = send;
  }

  get outstanding(): number {
    return this.admitted - this.answered;
  }

  /** The worker's answer to the oldest outstanding frame. `bytes` may be lane memory. */
  answer(bytes: Uint8Array, status: number): void {
    if (this.#held.length > 0) this.#held.push({ bytes: bytes.slice(), status });
    else this.send(bytes, status);
    this.#answeredOne();
  }

  /** The oldest outstanding frame's answer has to be looked up: later ones wait behind it. */
  hold(): HeldAnswer {
    const held: HeldAnswer = { bytes: null, status: 0 };
    this.#held.push(held);
    this.#answeredOne();
    return held;
  }

  /** A held answer has come: sends what its turn is. */
  release(held: HeldAnswer, bytes: Uint8Array, status: number): void {
    held.bytes = bytes;
    held.status = status;
    while (this.#held.length > 0 && this.#held[0]!.bytes !== null) {
      const next = this.#held.shift()!;
      this.send(next.bytes!, next.status);
    }
  }

  /** An answer of ingress itself, behind those that are outstanding. */
  retry(bytes: Uint8Array, status: number): void {
    if (this.outstanding === 0 && this.#held.length === 0) this.send(bytes, status);
    else if (this.outstanding === 0) this.#held.push({ bytes, status });
    else this.#retries.push({ after: this.admitted, bytes });
  }

  #answeredOne(): void {
    this.answered++;
    while (this.#retries.length > 0 && this.#retries[0]!.after <= this.answered) {
      const { bytes } = this.#retries.shift()!;
      if (this.#held.length > 0) this.#held.push({ bytes, status: STATUS_RETRY });
      else this.send(bytes, STATUS_RETRY);
    }
  }
}

const STATUS_RETRY = 4;

export class Peers {
  readonly #peers: (Peer | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(worker: number, encoding: number, stored: boolean, producer: string, send: SendAnswer): Peer {
    const slot = this.#free.pop() ?? this.#peers.length;
    const generation = ((this.#generations[slot] ?? 0) + 1) >>> 0;
    this.#generations[slot] = generation;
    const peer = new Peer(slot, generation, worker, encoding, stored, producer, send);
    this.#peers[slot] = peer;
    this.#count++;
    return peer;
  }

  find(slot: number, generation: number): Peer | undefined {
    const peer = this.#peers[slot];
    return peer?.generation === generation ? peer : undefined;
  }

  remove(peer: Peer): void {
    if (this.#peers[peer.slot] !== peer) return;
    this.#peers[peer.slot] = undefined;
    this.#free.push(peer.slot);
    this.#count--;
  }
}
