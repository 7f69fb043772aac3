/**
 * The registry of shared memory: every region is created here, once, on the main thread, from the plan's declared maxima;
 * `SharedMemory` is then handed to every other thread, which attaches to what it needs.
 */

import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';
import {
  CONTROL_VERSION,
  CONTROL_WORDS,
  INGRESSES_MAX,
  WORKERS_MAX,
} from '../../native-free-core/layout/control-layout.ts';
import { LOCKS_MAX, shapeEntityTable, type EntityTableShape } from '../../native-free-core/layout/entity-layout.ts';
import { producersOf, type ListPlan, type Plan } from '../../native-free-core/plan/plan.ts';
import { REGION_BYTES_MAX, REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { listKeys } from '../../native-free-core/language/expression/list-entries.ts';
import { createLane } from '../../native-free-core/ring/lane.ts';
import { createDictionary } from '../../native-free-core/state/dictionary.ts';
import { createEntityRegions } from '../../native-free-core/state/entity-table.ts';
import { createIdWindow } from '../../native-free-core/state/id-window.ts';
import { createKeyList, openKeyList, replaceKeys } from '../../native-free-core/state/key-list.ts';
import { createProducers } from '../../native-free-core/state/producers.ts';
import { OperatingError } from '../errors.ts';

/** Frames in: eight of the largest, and at 35 kB a frame about 240 waiting ones. */
export const FRAME_LANE_BYTES = 8 << 20;
/** Durable answers wait one fsync; 16,384 one-event answers are under 1 MiB. */
export const DURABLE_LANE_BYTES = 8 << 20;
/** Stored answers wait for ClickHouse, a second or two. */
export const STORED_LANE_BYTES = 32 << 20;
/** Sealed blocks on their way to the spool thread: two of the largest. */
export const BLOCK_LANE_BYTES = 64 << 20;
/** Durable epochs without their columns, which the main thread takes each 10 ms: of 20,000 frames/s some 20 kB. */
export const HEAD_LANE_BYTES = 1 << 20;
/** Few distinct strings are short ones; and the smallest dictionary takes a few long ones. */
const DICTIONARY_BYTES_PER_ENTRY = 64;
const DICTIONARY_BYTES_MIN = 1 << 20;
const WARM_UP_PRODUCERS_MAX = 64;
export const WARM_UP_ENTITIES_MAX = 1024;
/** So small that a warm-up goes round: a lane's end is another way through the code. */
const WARM_UP_FRAME_LANE_BYTES = 256 << 10;

export interface EntityMemory {
  readonly shape: EntityTableShape;
  readonly regions: readonly SharedArrayBuffer[];
  /** Where its rows come from while a change of the pipeline is under way (native-free-core/state/adoption.ts). */
  readonly adoption?: AdoptionMemory;
}

export interface AdoptionMemory {
  readonly former: EntityMemory;
  readonly copies: Int32Array;
  readonly side: EntityMemory | null;
  readonly sideCopies: Int32Array;
}

/** What names must at least find room: a start may declare less than the one before. */
export interface NamesRoom {
  readonly entries: number;
  readonly entryBytes: number;
  readonly producers: number;
}

const NO_NAMES: NamesRoom = { entries: 0, entryBytes: 0, producers: 0 };

/** Structured-cloneable; the buffers are shared, not copied. */
export interface SharedMemory {
  readonly workers: number;
  readonly ingresses: number;
  readonly control: SharedArrayBuffer;
  /** [worker][ingress] */
  readonly frameLanes: readonly (readonly SharedArrayBuffer[])[];
  readonly durableLanes: readonly (readonly SharedArrayBuffer[])[];
  readonly storedLanes: readonly (readonly SharedArrayBuffer[])[];
  /** [worker] */
  readonly blockLanes: readonly SharedArrayBuffer[];
  /** From the spool thread to the main one. */
  readonly headLane: SharedArrayBuffer;
  readonly entities: readonly EntityMemory[];
  /** In the order of `Plan.lists`. */
  readonly lists: readonly SharedArrayBuffer[];
  /** Takes of limits: one for each entity that a limit counts by. */
  readonly limits: readonly EntityMemory[];
  readonly producers: SharedArrayBuffer;
  readonly ids: SharedArrayBuffer | null;
  readonly dictionary: SharedArrayBuffer;
}

/** `names`: of a snapshot that is to be restored. */
export function allocateMemory(
  plan: Plan,
  workers: number,
  ingresses: number,
  names: NamesRoom = NO_NAMES,
): SharedMemory {
  if (workers < 1 || workers > WORKERS_MAX || ingresses < 1 || ingresses > INGRESSES_MAX) {
    throw new OperatingError(
      'thread_count',
      `thread count out of range: workers=${workers} (1 to ${WORKERS_MAX}) ingresses=${ingresses} (1 to ${INGRESSES_MAX})`,
    );
  }
  const grid = (bytes: number): SharedArrayBuffer[][] =>
    Array.from({ length: workers }, () => Array.from({ length: ingresses }, () => createLane(bytes)));
  const table = (max: number, rowBytes: number): EntityMemory => allocateTable(max, rowBytes, workers);
  try {
    return {
      workers,
      ingresses,
      control: createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4),
      frameLanes: grid(FRAME_LANE_BYTES),
      durableLanes: grid(DURABLE_LANE_BYTES),
      storedLanes: grid(STORED_LANE_BYTES),
      blockLanes: Array.from({ length: workers }, () => createLane(BLOCK_LANE_BYTES)),
      headLane: createLane(HEAD_LANE_BYTES),
      entities: plan.entities.map((entity) => table(entity.max, layOutRecord(entity).rowBytes)),
      limits: layOutLimits(plan).map(({ entity, rowBytes }) => table(plan.entities[entity]!.max, rowBytes)),
      lists: (plan.lists ?? []).map(createList),
      ...allocateNames(plan, names),
    };
  } catch (cause) {
    throw new OperatingError(
      'memory_reserve',
      `the shared tables could not be reserved: pipeline=${plan.pipeline} entities=${plan.entities.map((e) => `${e.name}:${e.max}`).join(',')}; lower the entities' max, or give the machine more memory`,
      { cause },
    );
  }
}

/** A new table for an entity, or for the limits that count by it. */
export function allocateTable(max: number, rowBytes: number, workers: number): EntityMemory {
  const shape = tableShape(max, rowBytes, workers);
  return { shape, regions: createEntityRegions(shape) };
}

export function tableShape(max: number, rowBytes: number, workers: number): EntityTableShape {
  return shapeEntityTable(max, rowBytes, BLOCK_ROWS_MAX * workers, REGION_BYTES_MAX, workers === 1 ? 1 : LOCKS_MAX);
}

/** What is there whatever the entities: producers, event ids, strings. */
export function allocateNames(
  plan: Plan,
  names: NamesRoom = NO_NAMES,
): Pick<SharedMemory, 'producers' | 'ids' | 'dictionary'> {
  const entries = Math.max(plan.dictionaryMax + 1, names.entries);
  const entryBytes = Math.max(entries * DICTIONARY_BYTES_PER_ENTRY, DICTIONARY_BYTES_MIN, names.entryBytes);
  const { max, forgetAfterMs } = producersOf(plan);
  return {
    producers: createProducers(Math.max(max, names.producers), forgetAfterMs),
    ids: plan.dedupIdsMax > 0 ? createIdWindow(plan.dedupIdsMax, plan.dedupWindowMs) : null,
    dictionary: createDictionary(entries, entryBytes),
  };
}

/** A list with the entries that the pipeline's own file has. */
export function createList({ type, max, entries }: ListPlan): SharedArrayBuffer {
  const buffer = createKeyList(max);
  replaceKeys(openKeyList(buffer), listKeys(type, entries), entries.length);
  return buffer;
}

/** What one worker warms up on: the same tables for few entities. */
export function allocateWarmUp(plan: Plan): SharedMemory {
  const entities = plan.entities.map((entity) => ({ ...entity, max: Math.min(entity.max, WARM_UP_ENTITIES_MAX) }));
  const dedupIdsMax = Math.min(plan.dedupIdsMax, WARM_UP_ENTITIES_MAX);
  const lists = (plan.lists ?? []).map((list) => ({ ...list, max: 1, entries: [] }));
  const producers = { ...producersOf(plan), max: WARM_UP_PRODUCERS_MAX };
  const memory = allocateMemory({ ...plan, entities, dedupIdsMax, lists, producers }, 1, 1);
  return { ...memory, frameLanes: [[createLane(WARM_UP_FRAME_LANE_BYTES)]] };
}

/** Reserved bytes by region kind; pages are taken from the machine only once they are written. */
export function describeMemory(memory: SharedMemory, plan: Plan): Record<string, number> {
  const sum = (buffers: readonly SharedArrayBuffer[]): number => buffers.reduce((total, b) => total + b.byteLength, 0);
  const report: Record<string, number> = {
    lanes:
      sum([...memory.frameLanes, ...memory.durableLanes, ...memory.storedLanes].flat()) +
      sum([...memory.blockLanes, memory.headLane]),
    producers: memory.producers.byteLength,
    ids: memory.ids?.byteLength ?? 0,
    dictionary: memory.dictionary.byteLength,
    lists: sum(memory.lists),
  };
  plan.entities.forEach((entity, i) => (report[`entity_${entity.name}`] = sum(memory.entities[i]!.regions)));
  layOutLimits(plan).forEach(
    ({ entity }, i) => (report[`limits_${plan.entities[entity]!.name}`] = sum(memory.limits[i]!.regions)),
  );
  report['total'] = Object.values(report).reduce((total, bytes) => total + bytes, 0);
  return report;
}
