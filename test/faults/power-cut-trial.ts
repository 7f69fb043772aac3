/**
 * Power cuts, one after another: the real core, spool and snapshots run until the power is cut at a random operation of the
 * disk; the next start must find every answered event, no ghost, and tables as the stored rows make them; clients send
 * everything again. The damage adds up over some images, then a fresh disk follows. Used by the short and the long form.
 */

import { join } from 'node:path';
import { expect } from 'vitest';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { LossyStorage, seededRandom, type Random } from '../spool/lossy-storage.ts';
import { createClients, isGood, nextFrame, type Client, type SentEvent } from './power-cut-clients.ts';
import { BlockReader, createHistory, type History } from './power-cut-history.ts';
import { Oracle, type StoredRow } from './power-cut-oracle.ts';
import { Run, type Clock } from './power-cut-run.ts';
import {
  describeTables,
  durableOf,
  readEpochs,
  recover,
  recoverLog,
  Reference,
  type Recovered,
} from './power-cut-start.ts';
import { isBefore, after, BEFORE_FIRST, written, positionOf, type Position } from '../../src/contract/event-log.ts';

export interface TrialOptions {
  readonly workers: number;
  readonly images: number;
  readonly seed: number;
}

export interface TrialFigures {
  images: number;
  withCutTail: number;
  withSnapshot: number;
  trimmed: number;
  epochs: number;
  /** Epochs with blocks of more than one worker. */
  sharedEpochs: number;
  storedEvents: number;
  answeredEvents: number;
  /** Taken by a worker, never answered, and not in the log after the cut. */
  lostUnanswered: number;
  /** Frames that were answered as repeated. */
  repeated: number;
  /** How often live tables were compared with what the stored rows make. */
  comparedLive: number;
}

interface World {
  readonly plan: Plan;
  readonly workers: number;
  readonly random: Random;
  readonly clock: Clock;
  readonly reader: BlockReader;
  readonly figures: TrialFigures;
  disk: LossyStorage;
  clients: Client[];
  history: History;
  oracle: Oracle;
  reference: Reference;
  /** The last epoch that had been published as durable. */
  promised: number;
  /** Every other disk goes without, so that the log alone must do. */
  snapshots: boolean;
}

const PIPELINE = join(import.meta.dirname, 'power-cut.yaml');
const IMAGES_PER_DISK = 8;
const OPERATIONS_MAX = 40;
const LIVE_STEPS = 400;
const START_MS = 1_700_000_000_000;

export async function cutPower({ workers, images, seed }: TrialOptions): Promise<TrialFigures> {
  const world = await createWorld(workers, seed);
  for (let image = 0; image < images; image++) {
    if (image % IMAGES_PER_DISK === 0) freshDisk(world);
    const recovered = await startAndCheck(world, `image=${image}`);
    await runUntilCut(world, recovered);
    world.disk = world.disk.image(world.random);
    world.figures.images++;
    if (image % IMAGES_PER_DISK === IMAGES_PER_DISK - 1 || image === images - 1)
      await startAndCheck(world, `image=${image} last`);
  }
  return world.figures;
}

/** The same without the barrier: how many images hold a ghost, and how many faults a log has that no cut has touched. */
export async function cutPowerWithoutEpochs(options: TrialOptions): Promise<{ ghosts: number; faultsUncut: number }> {
  const world = await createWorld(options.workers, options.seed);
  let ghosts = 0;
  for (let image = 0; image < options.images; image++) {
    freshDisk(world);
    const run = startRun(world, await recover(world.disk, world.plan, world.workers), false);
    world.disk.crashAfter(20 + Math.floor(world.random() * OPERATIONS_MAX), world.random);
    await run.runUntilCut(false);
    world.disk = world.disk.image(world.random);
    if (faultsOfWholeLog(world) > 0) ghosts++;
  }
  freshDisk(world);
  const run = startRun(world, await recover(world.disk, world.plan, world.workers), false);
  for (const client of world.clients) {
    for (let i = 0; i < 100; i++) client.queue.push(nextFrame(client, world.clock.ms, world.random));
  }
  run.sendsNew = false;
  await run.settle();
  run.commitAll();
  const faultsUncut = faultsOfWholeLog(world);
  expect(world.history.rows.size).toBeGreaterThan(500);
  return { ghosts, faultsUncut };
}

async function createWorld(workers: number, seed: number): Promise<World> {
  const plan = await loadPipeline(PIPELINE);
  const figures: TrialFigures = {
    images: 0,
    withCutTail: 0,
    withSnapshot: 0,
    trimmed: 0,
    epochs: 0,
    sharedEpochs: 0,
    storedEvents: 0,
    answeredEvents: 0,
    lostUnanswered: 0,
    repeated: 0,
    comparedLive: 0,
  };
  const world = {
    plan,
    workers,
    random: seededRandom(seed),
    clock: { ms: START_MS },
    reader: new BlockReader(plan),
    figures,
    disk: new LossyStorage(),
    clients: createClients(),
    history: createHistory(),
    oracle: new Oracle(true),
    reference: new Reference(plan),
    promised: 0,
    snapshots: false,
  };
  return world;
}

function freshDisk(world: World): void {
  world.disk = new LossyStorage();
  world.clients = createClients();
  world.history = createHistory();
  world.oracle = new Oracle(true);
  world.reference = new Reference(world.plan);
  world.promised = 0;
  world.snapshots = !world.snapshots;
}

/** What the next start finds, and everything that must be true of it. */
async function startAndCheck(world: World, image: string): Promise<Recovered> {
  const { figures, history, plan } = world;
  const recovered = await recover(world.disk, plan, world.workers);
  const { spool, tables, ledger, epochs } = recovered;
  if (spool.cutBytes > 0) figures.withCutTail++;
  if (recovered.withSnapshot) figures.withSnapshot++;
  if (isBefore(after(BEFORE_FIRST), spool.firstEpoch)) figures.trimmed++;
  expect(written(spool.lastEpoch), `${image}: published as durable`).toBeGreaterThanOrEqual(world.promised);
  expect(written(spool.lastEpoch), `${image}: stored in ClickHouse`).toBeGreaterThanOrEqual(history.epochs.length);
  expect(written(spool.firstEpoch), `${image}: trimmed before it was stored`).toBeLessThanOrEqual(
    history.epochs.length + 1,
  );
  for (const { epoch, blocks } of epochs) {
    const known = history.epochs[written(epoch) - 1];
    if (known !== undefined && !blocks.every((block, i) => Buffer.compare(block, known.blocks[i]) === 0)) {
      throw new Error(`${image}: an epoch has changed: epoch=${written(epoch)}`);
    }
  }
  enter(world, epochs, image);
  checkClients(world, image);
  const { reference } = world;
  reference.follow(history.epochs);
  expectSame(describeTables(plan, tables), describeTables(plan, reference.tables), `${image}: tables`);
  expect(new Map(ledger.lines()), `${image}: ledger`).toEqual(new Map(reference.ledger.lines()));
  return recovered;
}

/** Enters the epochs that are new to the history; each must follow from those before it alone. */
function enter(world: World, epochs: Recovered['epochs'], image: string): void {
  const { history, oracle, figures } = world;
  const unknown = epochs.filter(({ epoch }) => written(epoch) > history.epochs.length);
  if (unknown.length === 0) return;
  const events = eventsOf(world.clients);
  for (const epoch of unknown) {
    const rows = world.reader.add(history, epoch);
    figures.epochs++;
    figures.storedEvents += rows.length;
    if (epoch.blocks.length > 1) figures.sharedEpochs++;
    checkOrigin(rows, events);
    expect(
      oracle.take(rows, (id) => events.get(id)!.event),
      `${image}: ghosts`,
    ).toEqual([]);
  }
}

type Events = Map<string, { readonly event: SentEvent; readonly from: string }>;

function eventsOf(clients: readonly Client[]): Events {
  const events: Events = new Map();
  for (const client of clients) {
    for (const frame of client.frames) {
      frame.events.forEach((event, i) => events.set(event.id, { event, from: `${client.name}/${frame.seq}/${i}` }));
    }
  }
  return events;
}

function checkOrigin(rows: readonly StoredRow[], events: Events): void {
  for (const { id, values } of rows) {
    const from = `${values['_producer']}/${values['_frame_seq']}/${values['_frame_index']}`;
    if (events.get(id)?.from !== from) throw new Error(`a row that nobody sent so: id=${id} from=${from}`);
  }
}

/** Frames are there whole or not at all; answered ones are, with the decisions of the answer. */
function checkClients({ clients, history, figures }: World, image: string): void {
  for (const client of clients) {
    for (const frame of client.frames) {
      const good = frame.events.filter(isGood);
      const rows = good.flatMap(({ id }) => history.rows.get(id) ?? []);
      const taken = client.name === '' ? rows.length > 0 : history.frames.has(`${client.name}/${frame.seq}`);
      const name = `${image}: frame ${client.name}/${frame.seq} of ${frame.events[0].id}`;
      if (rows.length !== (taken ? good.length : 0)) throw new Error(`${name}: rows=${rows.length} of ${good.length}`);
      if (frame.answer !== null) {
        if (!taken) throw new Error(`${name}: answered and lost`);
        const stored = frame.events.map(({ id }) => history.rows.get(id)?.values['care'] ?? null);
        if (stored.join() !== frame.answer.join())
          throw new Error(`${name}: answered=${frame.answer.join()} stored=${stored.join()}`);
      }
      if (!taken && frame.sent) figures.lostUnanswered += frame.events.length;
      frame.durable = taken;
      frame.sent = false;
    }
  }
}

async function runUntilCut(world: World, recovered: Recovered): Promise<void> {
  const { disk, random, clients, figures, plan } = world;
  const cut = (): void => disk.crashAfter(1 + Math.floor(random() * OPERATIONS_MAX), random);
  const atOnce = random() < 0.3;
  if (atOnce) cut();
  let run: Run | null = null;
  try {
    for (const client of clients)
      client.queue.splice(0, Infinity, ...client.frames.filter(({ durable }) => atOnce || durable));
    run = startRun(world, recovered, true);
    if (!atOnce) {
      const before = statesOf(plan, recovered);
      run.sendsNew = false;
      await run.settle();
      expectSame(statesOf(plan, recovered), before, 'states after everything was sent again');
      for (const client of clients) client.queue.push(...client.frames.filter(({ durable }) => !durable));
      run.sendsNew = true;
      if (random() < 0.15) await compareLive(world, recovered, run);
      cut();
    }
    await run.runUntilCut(world.snapshots && random() < 0.7);
  } catch (error) {
    if (!disk.crashed) throw error;
  }
  world.promised = written(durableOf(recovered));
  figures.answeredEvents += run?.figures.answeredEvents ?? 0;
  figures.repeated += run?.figures.repeated ?? 0;
}

/** Tables that workers have changed in turns are what their stored rows make, bit for bit. */
async function compareLive(world: World, recovered: Recovered, run: Run): Promise<void> {
  const { plan, reference, history, figures } = world;
  await run.liveFor(LIVE_STEPS);
  storeThrough(world, durableOf(recovered));
  reference.follow(history.epochs);
  expectSame(describeTables(plan, recovered.tables), describeTables(plan, reference.tables), 'live tables');
  figures.comparedLive++;
}

function storeThrough(world: World, epoch: Position): void {
  const from = after(positionOf(world.history.epochs.length));
  enter(world, readEpochs(world.disk, from, epoch), 'stored');
}

function startRun(world: World, recovered: Recovered, barrier: boolean): Run {
  return new Run({ ...world, recovered, barrier, store: (through) => storeThrough(world, through) });
}

/** What repeated frames must not change: entities and event ids. Producers remember when they were last seen. */
function statesOf(plan: Plan, { tables }: Recovered): Record<string, string[]> {
  const { 'named producers': _, ...states } = describeTables(plan, tables);
  return states;
}

function expectSame(found: Record<string, string[]>, wanted: Record<string, string[]>, what: string): void {
  expect(Object.keys(found).sort(), what).toEqual(Object.keys(wanted).sort());
  for (const [name, lines] of Object.entries(wanted)) {
    expect(found[name].length, `${what}: ${name}`).toBe(lines.length);
    const differs = lines.findIndex((line, i) => line !== found[name][i]);
    if (differs >= 0) expect(found[name][differs], `${what}: ${name}`).toBe(lines[differs]);
  }
}

/** Every stored row against the stored rows before it, whatever the epochs say. */
function faultsOfWholeLog(world: World): number {
  const { firstEpoch, lastEpoch } = recoverLog(world.disk, world.plan, world.workers);
  const events = eventsOf(world.clients);
  const rows = readEpochs(world.disk, firstEpoch, lastEpoch).flatMap((epoch) => world.reader.add(world.history, epoch));
  return new Oracle(false).take(rows, (id) => events.get(id)!.event).length;
}
