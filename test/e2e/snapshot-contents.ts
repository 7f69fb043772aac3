/** What the newest snapshot of a stopped server holds, in a form in which two can be compared: rows by key, ids in order. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import {
  layOutLimits,
  REPLAY_BASE_SLOT,
  REPLAY_EPOCH_SLOT,
  type LimitTableLayout,
} from '../../native-free-core/policy/limit-layout.ts';
import { ID_ENTRY_WORDS } from '../../native-free-core/state/id-window.ts';
import {
  PRODUCER_ROW_BYTES,
  ROW_ENTRIES,
  ROW_NAME,
  ROW_NAME_BYTES,
} from '../../native-free-core/layout/producer-layout.ts';
import { restoreNewest, type LoadedSnapshot } from '../../src/spool/snapshot-file.ts';
import { nodeStorage } from '../../src/spool/storage.ts';

/** By name of the table, then by key. */
export type Contents = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

export function readContents(data: string): Contents {
  return newest(data, (snapshot) => readRows(data, snapshot));
}

function readRows(data: string, snapshot: LoadedSnapshot): Contents {
  const plan = planOf(data, snapshot.pipelineVersion);
  const rowBytes = rowBytesOf(plan);
  const limits = new Map(layOutLimits(plan).map((layout) => [`limits:${plan.entities[layout.entity]!.name}`, layout]));
  const comparable = (name: string, row: Buffer): Buffer => {
    const layout = limits.get(name);
    return layout === undefined ? row : comparableTakes(layout, row);
  };
  const contents = new Map<string, Map<string, Buffer>>();
  for (const { name, index, bytes } of snapshot.chunks()) {
    if (name === 'ledger') continue;
    const table = contents.get(name) ?? new Map<string, Buffer>();
    contents.set(name, table);
    const step = rowBytes.get(name);
    if (step === undefined) {
      table.set(String(index), Buffer.from(bytes));
      continue;
    }
    for (let at = 0; at < bytes.length; at += step) {
      const row = Buffer.from(bytes.subarray(at, at + step));
      if (name === 'named producers') addProducer(table, row);
      else if (name === 'ids') table.set(row.subarray(0, 16).toString('hex'), row);
      else table.set(row.subarray(0, 16).toString('hex'), comparable(name, row));
    }
  }
  return contents;
}

/** The lines of the ledger, by producer; the epoch moves on with each start. */
export function readLedger(data: string): unknown {
  const bytes = chunkOf(data, 'ledger');
  const { lines, dedups } = JSON.parse(bytes.toString()) as {
    lines: [string, { seenAt?: number }][];
    dedups: string[];
  };
  // When somebody was last seen moves with each start, which sends a frame itself.
  for (const [, line] of lines) delete line.seenAt;
  return { lines: lines.sort(([a], [b]) => (a < b ? -1 : 1)), dedups: dedups.sort() };
}

function chunkOf(data: string, wanted: string): Buffer {
  return newest(data, (snapshot) => {
    for (const { name, bytes } of snapshot.chunks()) if (name === wanted) return Buffer.from(bytes);
    throw new Error(`no such chunk: name=${wanted}`);
  });
}

function newest<Result>(data: string, read: (snapshot: LoadedSnapshot) => Result): Result {
  const result = restoreNewest(nodeStorage, join(data, 'snapshots'), read, (message) => {
    throw new Error(message);
  });
  if (result === null) throw new Error(`no snapshot: data=${data}`);
  return result;
}

/** Rows and their sum of each table of entities, in whatever order they lie: for more rows than two maps hold. */
export function entitySums(data: string): Record<string, { rows: number; sum: number }> {
  return newest(data, (snapshot) => {
    const rowBytes = rowBytesOf(planOf(data, snapshot.pipelineVersion));
    const sums: Record<string, { rows: number; sum: number }> = {};
    for (const { name, bytes } of snapshot.chunks()) {
      if (!name.startsWith('entity:')) continue;
      const one = (sums[name] ??= { rows: 0, sum: 0 });
      const step = rowBytes.get(name)!;
      for (let at = 0; at < bytes.length; at += step) {
        const row = bytes.subarray(at, at + step);
        one.rows++;
        one.sum = (one.sum + crc32(row) + crc32(row, 1) * 2 ** 19) % 2 ** 51;
      }
    }
    return sums;
  });
}

/** Tables and keys at which they differ, a few of each; empty: they are the same. */
export function differences(before: Contents, after: Contents): string[] {
  const found: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name) ?? new Map<string, Buffer>(), after.get(name) ?? new Map<string, Buffer>()];
    const keys = [...new Set([...was.keys(), ...is.keys()])];
    const wrong = keys.filter((key) => !(was.get(key) ?? Buffer.alloc(1)).equals(is.get(key) ?? Buffer.alloc(2)));
    if (wrong.length > 0) found.push(`${name}: ${wrong.length} of ${keys.length}`);
    for (const key of wrong.slice(0, 2)) {
      found.push(
        `  ${key}\n    ${was.get(key)?.toString('hex').slice(0, 2000)}\n    ${is.get(key)?.toString('hex').slice(0, 2000)}`,
      );
    }
  }
  return found;
}

export function planOf(data: string, version: string): Plan {
  const folder = join(data, 'pipelines');
  const file = readdirSync(folder).find((name) => name !== 'activations.json' && name.startsWith(version.slice(0, 8)));
  return (JSON.parse(readFileSync(join(folder, file!), 'utf8')) as { plan: Plan }).plan;
}

function rowBytesOf(plan: Plan): Map<string, number> {
  const sizes = new Map([
    ['ids', ID_ENTRY_WORDS * 4],
    ['named producers', PRODUCER_ROW_BYTES],
  ]);
  for (const entity of plan.entities) sizes.set(`entity:${entity.name}`, layOutRecord(entity).rowBytes);
  for (const { entity, rowBytes } of layOutLimits(plan)) sizes.set(`limits:${plan.entities[entity]!.name}`, rowBytes);
  return sizes;
}

/** Without what it has used up: rows do not tell. */
function addProducer(table: Map<string, Buffer>, row: Buffer): void {
  const length = row.readUInt32LE(ROW_NAME_BYTES * 4);
  const name = row.toString('utf8', ROW_NAME * 4, ROW_NAME * 4 + length);
  row.fill(0, ROW_ENTRIES * 4);
  if (length > 0) table.set(name, row);
}

/** Without what recovery has noted for itself, and with the newest takes in order: their places tell nothing. */
function comparableTakes(layout: LimitTableLayout, row: Buffer): Buffer {
  row.fill(0, 8 * REPLAY_EPOCH_SLOT, 8 * REPLAY_EPOCH_SLOT + 8).fill(0, 8 * REPLAY_BASE_SLOT, 8 * REPLAY_BASE_SLOT + 8);
  for (const { cells } of layout.rules) {
    if (cells.isRing) continue;
    const takes = Array.from({ length: cells.count }, (_, i) => row.readDoubleLE(8 * (cells.at + i)));
    takes.sort((a, b) => a - b).forEach((take, i) => row.writeDoubleLE(take, 8 * (cells.at + i)));
  }
  return row;
}
