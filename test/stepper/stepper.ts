/**
 * A stepper: runs two or three threads of a protocol in every order in which their accesses to shared memory can follow one
 * another, and says how many orders there are. Each access is one step, atomic or not. A thread is run anew for each of its
 * steps, given what its accesses returned before, so that the code under test needs no change; orders that lead to the same
 * state go on as one.
 *
 * What it finds: an exception of a thread or of `end` ("wrong"); threads that all wait, since a wait ends by a notify alone
 * ("stuck"); two accesses, one of them a plain write, that nothing orders ("race"). JavaScript keeps the order of the steps
 * for programs without races (ECMA-262, "Data Race Freedom"), so a protocol that passes holds on any processor.
 */

import { ADDRESS_STRIDE, PAUSE, modelMemory, type Access, type ModelMemory } from './model-memory.ts';
import { Order, type OrderDraft, type OrderState } from './order.ts';
import { protocolScript, type ProtocolSources } from './protocol.ts';

export interface SceneTools {
  /** Until another thread has written something; for loops that look again and again. */
  pause(): void;
  /** What a thread has before any thread runs, such as its views of the memory; no steps. */
  before<T>(make: () => T): T;
  /** For what a scene itself looks at or writes. */
  readonly atomics: Pick<typeof Atomics, 'load' | 'store' | 'add'>;
}

/**
 * A part of what a thread does; `left`: what the part before has returned, a value of JSON. The same accesses must follow
 * from the same answers: no clock, nothing kept between calls. At the end of a part all that the thread knows is what it
 * returns: orders that lead there with the same result go on as one.
 */
export type Part<P, C> = (context: C, protocol: P, tools: SceneTools, left: unknown) => unknown;

export interface Scene<P, C> {
  /** Once, before any thread runs. `shared`: so many words of shared memory, apart from what the protocol makes. */
  prepare(protocol: P, shared: (count: number) => Int32Array): C;
  /** By name; in one part or several. */
  readonly threads: Readonly<Record<string, Part<P, C> | readonly Part<P, C>[]>>;
  /** After all threads have returned, with what their last parts returned; throws where it is wrong. */
  end?(context: C, results: readonly unknown[], protocol: P): void;
  /**
   * A step goes on to the thread's next atomic access. No order is missed where nothing races, which is looked for as
   * before: what is plain then lies between two atomic accesses that keep the others out.
   */
  readonly coarse?: boolean;
  /** How many waits of each thread may end by their timeout; default: none. */
  readonly timeouts?: number;
}

export interface Outcome {
  /** Orders in which the steps can follow one another; up to the failure where there is one. */
  readonly interleavings: bigint;
  readonly states: number;
  readonly failure: { readonly kind: 'wrong' | 'stuck' | 'race'; readonly message: string } | null;
}

/** Beyond this a scene is too large to be enumerated in a test. */
const STATES_MAX = 200_000;
/** A thread that has not ended by then never will. */
const STEPS_MAX = 400;

type Status = 'ready' | 'waiting' | 'pausing' | 'done';
type Answer = number | string;

interface ThreadState {
  readonly part: number;
  /** What the accesses of this part have returned so far. */
  readonly answers: Answer[];
  readonly status: Status;
  /** Another thread may have written something since its last pause. */
  readonly news: boolean;
  readonly timeoutsLeft: number;
  /** What its last part has returned. */
  readonly left: unknown;
}

interface State {
  /** Words that differ from what `prepare` left. */
  readonly words: ReadonlyMap<number, number>;
  readonly threads: readonly ThreadState[];
  /** In the order in which they came. */
  readonly waiters: readonly { readonly thread: number; readonly address: number }[];
  readonly order: OrderState;
}

/** A step under way. */
interface Draft {
  words: Map<number, number>;
  threads: ThreadState[];
  waiters: State['waiters'];
  order: OrderDraft;
}

/** A line of the way to a failure. */
interface Traced {
  readonly thread: number;
  readonly access: Access;
  /** The word afterwards. */
  after: number;
}

class Failure extends Error {
  readonly kind: 'wrong' | 'stuck' | 'race';
  constructor(kind: Failure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Thrown through a thread to stop it before its next access. */
const NEXT_ACCESS = Symbol('next access');

export async function explore<P, C>(sources: ProtocolSources, scene: Scene<P, C>): Promise<Outcome> {
  return new Stepper(await protocolScript(sources), scene).explore();
}

class Stepper<P, C> {
  readonly #scene: Scene<P, C>;
  readonly #names: readonly string[];
  readonly #parts: readonly (readonly Part<P, C>[])[];
  readonly #protocol: P;
  readonly #context: C;
  readonly #prepared = new Map<number, number>();
  readonly #order: Order;
  readonly #tools: SceneTools;
  /** Orders that lead from a state to the end. */
  readonly #ahead = new Map<string, bigint>();
  readonly #trace: (string | Traced)[] = [];
  /** No thread runs: accesses are no steps. */
  #direct: Map<number, number> | null = this.#prepared;
  #draft: Draft | null = null;
  #thread = 0;
  #position = 0;
  #hasStepped = false;

  constructor(script: string, scene: Scene<P, C>) {
    this.#scene = scene;
    this.#names = Object.keys(scene.threads);
    this.#parts = Object.values(scene.threads).map((parts) => (typeof parts === 'function' ? [parts] : parts));
    this.#order = new Order(this.#names.length);
    const memory: ModelMemory = modelMemory((access) => this.#perform(access));
    const names = Object.keys(memory.globals);
    const evaluate = new Function(...names, `${script}\nreturn protocol;`) as (...values: unknown[]) => P;
    this.#protocol = evaluate(...Object.values(memory.globals));
    this.#context = scene.prepare(this.#protocol, memory.shared);
    this.#tools = {
      pause: () => void this.#perform({ kind: 'wait', address: PAUSE, value: 0, replacement: 0 }),
      before: (make) => this.#before(make),
      atomics: memory.globals.Atomics,
    };
    this.#direct = null;
  }

  explore(): Outcome {
    const first: ThreadState = {
      part: 0,
      answers: [],
      status: 'ready',
      news: true,
      timeoutsLeft: this.#scene.timeouts ?? 0,
      left: null,
    };
    const start: State = {
      words: new Map(),
      threads: this.#names.map(() => first),
      waiters: [],
      order: this.#order.start(),
    };
    try {
      return { interleavings: this.#follow(start), states: this.#ahead.size, failure: null };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const message = `${error.message}\n${this.#trace.map((line) => `  ${this.#traced(line)}`).join('\n')}`;
      return { interleavings: 0n, states: this.#ahead.size, failure: { kind: error.kind, message } };
    }
  }

  /** How many orders lead from here to the end. */
  #follow(state: State): bigint {
    const key = this.#keyOf(state);
    const known = this.#ahead.get(key);
    if (known !== undefined) return known;
    if (this.#ahead.size >= STATES_MAX) throw new Error(`the scene has too many states: states_max=${STATES_MAX}`);
    let orders = 0n;
    let isStuck = true;
    state.threads.forEach(({ status, timeoutsLeft }, thread) => {
      if (status === 'ready') {
        isStuck = false;
        orders += this.#followed(() => this.#stepped(state, thread));
      } else if (status === 'waiting' && timeoutsLeft > 0)
        orders += this.#followed(() => this.#timedOut(state, thread));
    });
    if (isStuck) {
      if (state.threads.some(({ status }) => status !== 'done')) throw new Failure('stuck', 'all threads wait');
      this.#checkEnd(state);
      orders = 1n;
    }
    this.#ahead.set(key, orders);
    return orders;
  }

  #followed(step: () => State): bigint {
    const depth = this.#trace.length;
    const orders = this.#follow(step());
    this.#trace.length = depth;
    return orders;
  }

  #stepped(state: State, thread: number): State {
    const draft: Draft = {
      words: new Map(state.words),
      threads: [...state.threads],
      waiters: state.waiters,
      order: this.#order.draft(state.order),
    };
    // Grows with the accesses of this step.
    draft.threads[thread] = { ...draft.threads[thread]!, answers: [...draft.threads[thread]!.answers] };
    this.#draft = draft;
    this.#thread = thread;
    this.#position = 0;
    this.#hasStepped = false;
    try {
      this.#runParts(thread);
      if (!this.#hasStepped) this.#trace.push(`${this.#names[thread]}: returns`);
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (error !== NEXT_ACCESS) throw new Failure('wrong', `${this.#names[thread]}: ${messageOf(error)}`);
    } finally {
      this.#draft = null;
    }
    this.#order.settle(draft.order);
    return draft;
  }

  /** To the thread's next step, or to the end of the part that has made it. */
  #runParts(thread: number): void {
    const parts = this.#parts[thread]!;
    while (!this.#hasStepped) {
      const { part, left } = this.#draft!.threads[thread]!;
      if (part === parts.length) return;
      const result = parts[part]!(this.#context, this.#protocol, this.#tools, structuredClone(left));
      const status = part + 1 === parts.length ? 'done' : 'ready';
      this.#change({ part: part + 1, answers: [], left: result ?? null, status });
      this.#position = 0;
    }
  }

  #timedOut(state: State, thread: number): State {
    const threads = [...state.threads];
    const { answers, timeoutsLeft } = threads[thread]!;
    threads[thread] = {
      ...threads[thread]!,
      answers: [...answers, 'timed-out'],
      status: 'ready',
      timeoutsLeft: timeoutsLeft - 1,
    };
    this.#trace.push(`${this.#names[thread]}: its wait times out`);
    return { ...state, threads, waiters: state.waiters.filter((waiter) => waiter.thread !== thread) };
  }

  #checkEnd({ words, threads }: State): void {
    this.#direct = new Map([...this.#prepared, ...words]);
    try {
      const results = threads.map(({ left }) => left);
      this.#scene.end?.(this.#context, results, this.#protocol);
    } catch (error) {
      throw new Failure('wrong', `at the end: ${messageOf(error)}`);
    } finally {
      this.#direct = null;
    }
  }

  #before<T>(make: () => T): T {
    this.#direct = this.#prepared;
    try {
      return make();
    } finally {
      this.#direct = null;
    }
  }

  #perform(access: Access): Answer {
    if (this.#direct !== null) return applied(this.#direct, this.#prepared, access);
    const draft = this.#draft!;
    const { answers } = draft.threads[this.#thread]!;
    if (this.#position < answers.length) return answers[this.#position++]!;
    const isPlain = access.kind === 'read' || access.kind === 'write';
    if (this.#hasStepped && !(isPlain && this.#scene.coarse === true)) throw NEXT_ACCESS;
    this.#hasStepped = true;
    if (answers.length >= STEPS_MAX) throw new Failure('wrong', `${this.#names[this.#thread]} does not come to an end`);
    return this.#step(draft, access);
  }

  #step(draft: Draft, access: Access): Answer {
    if (access.address === PAUSE) return this.#pause(draft);
    const { kind, address, value } = access;
    const traced: Traced = { thread: this.#thread, access, after: 0 };
    this.#trace.push(traced);
    if (kind === 'notify') return this.#answer(this.#wake(draft, address, value));
    const race = this.#order.note(draft.order, this.#thread, access, wordAt(draft.words, this.#prepared, address));
    if (race >= 0) throw new Failure('race', `nothing orders it after what ${this.#names[race]} did there`);
    if (kind === 'wait') {
      if (wordAt(draft.words, this.#prepared, address) !== value) return this.#answer('not-equal');
      draft.waiters = [...draft.waiters, { thread: this.#thread, address }];
      this.#change({ status: 'waiting' });
      throw NEXT_ACCESS;
    }
    const before = applied(draft.words, this.#prepared, access);
    if (kind !== 'read' && kind !== 'load') this.#tellOthers(draft);
    traced.after = wordAt(draft.words, this.#prepared, address);
    return this.#answer(before);
  }

  #traced(line: string | Traced): string {
    if (typeof line === 'string') return line;
    const { kind, address } = line.access;
    const where = `${String.fromCharCode(97 + Math.floor(address / ADDRESS_STRIDE))}[${address % ADDRESS_STRIDE}]`;
    return `${this.#names[line.thread]}: ${kind} ${where} -> ${line.after}`;
  }

  #pause(draft: Draft): Answer {
    this.#trace.push(`${this.#names[this.#thread]}: pauses`);
    if (draft.threads[this.#thread]!.news) {
      this.#change({ news: false });
      return this.#answer('ok');
    }
    this.#change({ status: 'pausing' });
    throw NEXT_ACCESS;
  }

  #answer(answer: Answer): Answer {
    this.#draft!.threads[this.#thread]!.answers.push(answer);
    this.#position++;
    return answer;
  }

  #change(change: Partial<ThreadState>): void {
    const threads = this.#draft!.threads;
    threads[this.#thread] = { ...threads[this.#thread]!, ...change };
  }

  #wake(draft: Draft, address: number, count: number): number {
    const woken = draft.waiters.filter((waiter) => waiter.address === address).slice(0, count);
    for (const { thread } of woken) resume(draft, thread);
    draft.waiters = draft.waiters.filter((waiter) => !woken.includes(waiter));
    return woken.length;
  }

  #tellOthers(draft: Draft): void {
    draft.threads.forEach((one, thread) => {
      if (thread === this.#thread) return;
      if (one.status === 'pausing') resume(draft, thread);
      else if (!one.news && one.status !== 'done') draft.threads[thread] = { ...one, news: true };
    });
  }

  #keyOf({ words, threads, waiters, order }: State): string {
    const parts = [...words].sort(([a], [b]) => a - b).map(([address, word]) => `${address}=${word}`);
    for (const { part, answers, status, news, timeoutsLeft, left } of threads)
      parts.push(`|${part} ${answers.join()} ${status} ${news ? 1 : 0} ${timeoutsLeft} ${JSON.stringify(left)}`);
    for (const { thread, address } of waiters) parts.push(`w${thread}@${address}`);
    return parts.join() + this.#order.keyOf(order);
  }
}

function resume(draft: Draft, thread: number): void {
  const one = draft.threads[thread]!;
  draft.threads[thread] = { ...one, status: 'ready', answers: [...one.answers, 'ok'] };
}

function wordAt(words: ReadonlyMap<number, number>, prepared: ReadonlyMap<number, number>, address: number): number {
  return words.get(address) ?? prepared.get(address) ?? 0;
}

/** Does it, and returns what the access returns. */
function applied(words: Map<number, number>, prepared: ReadonlyMap<number, number>, access: Access): number {
  const { kind, address, value, replacement } = access;
  const before = wordAt(words, prepared, address);
  switch (kind) {
    case 'write':
    case 'store':
    case 'exchange':
      words.set(address, value | 0);
      break;
    case 'add':
      words.set(address, (before + value) | 0);
      break;
    case 'compareExchange':
      if (before === value) words.set(address, replacement | 0);
      break;
    case 'read':
    case 'load':
    case 'wait':
    case 'notify':
  }
  return kind === 'store' ? value : kind === 'notify' ? 0 : before;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
