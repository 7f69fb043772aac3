/**
 * What a pipeline takes in memory, before it starts: what is reserved, and what of it the machine has to give once every
 * entity is there. Called by cli/plan.ts. Reserved is exact; pages that nobody has written cost nothing.
 */

import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import { createColumn, type Column } from '../../native-free-core/layout/column.ts';
import { STRIPE_HEADER_WORDS, type EntityTableShape } from '../../native-free-core/layout/entity-layout.ts';
import type { EntityPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { REGION_HEADER_BYTES } from '../../native-free-core/layout/region.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { createLane } from '../../native-free-core/ring/lane.ts';
import {
  allocateNames,
  BLOCK_LANE_BYTES,
  createList,
  DURABLE_LANE_BYTES,
  FRAME_LANE_BYTES,
  HEAD_LANE_BYTES,
  STORED_LANE_BYTES,
  tableShape,
} from './regions.ts';

const PAGE_BYTES = 4096;
/**
 * Measured on Node 20, 22, 24 and 26, resident, under load: code and heaps of main, spool and ingress, batches on their way
 * to ClickHouse; and what each worker adds. Node 20 takes some 40 MB less, Node 24 some 50 MB more. Ready and idle they are
 * 115 and 23 MB on Node 20.
 */
const PROCESS_BYTES = 200e6;
export const WORKER_BYTES = 35e6;

export interface MemoryPart {
  readonly name: string;
  readonly reservedBytes: number;
  /** Resident once all that may be there is there. */
  readonly fullBytes: number;
}

export interface FeatureMemory {
  readonly name: string;
  /** Its share of what features take in a row: several fill each other's gaps. */
  readonly bytes: number;
}

export interface EntityMemoryPlan extends MemoryPart {
  readonly max: number;
  /** One entity's state: the head of the row and its features. */
  readonly rowBytes: number;
  /** Its share of the index. */
  readonly indexBytes: number;
  readonly features: readonly FeatureMemory[];
  /** Key, numbers and clock at the start of the row. */
  readonly headBytes: number;
  /** One key's limits; 0: none. */
  readonly limitBytes: number;
}

export interface MemoryPlan {
  readonly workers: number;
  readonly ingresses: number;
  readonly entities: readonly EntityMemoryPlan[];
  /** Everything that comes with running it, entities included. */
  readonly parts: readonly MemoryPart[];
  readonly total: MemoryPart;
  /** Besides, as they come: nothing at first, at most `fullBytes`. */
  readonly asTheyCome: readonly MemoryPart[];
}

export function planMemory(plan: Plan, workers: number, ingresses: number): MemoryPlan {
  const entities = plan.entities.map((entity) => planEntity(plan, entity, workers));
  const limits = layOutLimits(plan).map(({ entity, rowBytes }) => {
    const { name, max } = plan.entities[entity]!;
    return { name: `limits by ${name}`, ...tableBytes(tableShape(max, rowBytes, workers), max) };
  });
  const parts = [
    ...entities.map(({ name, reservedBytes, fullBytes }) => ({ name: `entity ${name}`, reservedBytes, fullBytes })),
    ...limits,
    ...planLists(plan),
    whole('lanes', laneBytes(workers, ingresses)),
    whole('blocks of the workers', workers * blockBytes(plan)),
    whole('process', PROCESS_BYTES + workers * WORKER_BYTES),
  ];
  return { workers, ingresses, entities, parts, total: sum(parts), asTheyCome: planNames(plan, workers, ingresses) };
}

function planEntity(plan: Plan, entity: EntityPlan, workers: number): EntityMemoryPlan {
  const { name, max, features } = entity;
  const { rowBytes } = layOutRecord(entity);
  const shape = tableShape(max, rowBytes, workers);
  const headBytes = layOutRecord({ ...entity, features: [] }).rowBytes;
  const alone = features.map((feature) => layOutRecord({ ...entity, features: [feature] }).rowBytes - headBytes);
  const share = (rowBytes - headBytes) / alone.reduce((total, one) => total + one, 0);
  return {
    name,
    max,
    rowBytes,
    indexBytes: (shape.stripes * shape.indexSlots * 4) / max,
    headBytes,
    features: features.map((feature, i) => ({ name: feature.name, bytes: alone[i]! * share })),
    limitBytes: layOutLimits(plan).find((limits) => limits.entity === entity.index)?.rowBytes ?? 0,
    ...tableBytes(shape, max),
  };
}

/** Rows fill a stripe from its begin, so a stripe has half a page that is begun and not used. */
function tableBytes(shape: EntityTableShape, rows: number): Omit<MemoryPart, 'name'> {
  const { stripes, stripesPerRegion, stripeBytes, indexSlots, rowBytes } = shape;
  const regions = Math.ceil(stripes / stripesPerRegion);
  const reservedBytes = stripes * stripeBytes + regions * REGION_HEADER_BYTES;
  const heads = stripes * ((STRIPE_HEADER_WORDS + indexSlots) * 4 + PAGE_BYTES / 2);
  return { reservedBytes, fullBytes: Math.min(reservedBytes, heads + rows * rowBytes) };
}

function planLists(plan: Plan): MemoryPart[] {
  return (plan.lists ?? []).map((list) => whole(`list ${list.name}`, createList({ ...list, entries: [] }).byteLength));
}

/** Without those for answers that wait for ClickHouse: few clients ask for them. */
function laneBytes(workers: number, ingresses: number): number {
  const pair = createLane(FRAME_LANE_BYTES).byteLength + createLane(DURABLE_LANE_BYTES).byteLength;
  const perWorker = ingresses * pair + createLane(BLOCK_LANE_BYTES).byteLength;
  return workers * perWorker + createLane(HEAD_LANE_BYTES).byteLength;
}

function planNames(plan: Plan, workers: number, ingresses: number): MemoryPart[] {
  const { producers, ids, dictionary } = allocateNames(plan);
  return [
    whole('producers', producers.byteLength),
    whole('event ids', ids?.byteLength ?? 0),
    whole('dictionary', dictionary.byteLength),
    whole('answers that wait for ClickHouse', workers * ingresses * createLane(STORED_LANE_BYTES).byteLength),
  ];
}

/** Columns of one worker's block; heaps of texts and lists are only as long as what came. */
function blockBytes(plan: Plan): number {
  return plan.columns.reduce((total, column) => total + columnBytes(createColumn(column)), 0);
}

function columnBytes({ nulls, u8, starts, lengths, counts }: Column): number {
  return nulls.byteLength + u8.byteLength + starts.byteLength + lengths.byteLength + counts.byteLength;
}

function whole(name: string, bytes: number): MemoryPart {
  return { name, reservedBytes: bytes, fullBytes: bytes };
}

function sum(parts: readonly MemoryPart[]): MemoryPart {
  return {
    name: 'in all',
    reservedBytes: parts.reduce((total, part) => total + part.reservedBytes, 0),
    fullBytes: parts.reduce((total, part) => total + part.fullBytes, 0),
  };
}
