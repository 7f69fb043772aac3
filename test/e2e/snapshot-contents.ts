/** What the newest snapshot of a stopped server holds, in a form in which two can be compared: rows by key, ids in order. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { layOutLimits, REPLAY_BASE_SLOT, REPLAY_EPOCH_SLOT } from '../../native-free-core/policy/limit-layout.ts';
import { ID_ENTRY_WORDS } from '../../native-free-core/state/id-window.ts';
import { PRODUCER_ROW_BYTES } from '../../native-free-core/state/producers.ts';
import { loadSnapshot } from '../../src/spool/snapshot-file.ts';
import { nodeStorage } from '../../src/spool/storage.ts';

/** By name of the table, then by key. */
export type Contents = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

export function readContents(data: string): Contents {
  const snapshot = loadSnapshot(nodeStorage, join(data, 'snapshots'), (message) => {
    throw new Error(message);
  });
  if (snapshot === null) throw new Error(`no snapshot: data=${data}`);
  const rowBytes = rowBytesOf(planOf(data, snapshot.pipelineVersion));
  const contents = new Map<string, Map<string, Buffer>>();
  for (const { name, index, bytes } of snapshot.chunks()) {
    const table = contents.get(name) ?? new Map<string, Buffer>();
    contents.set(name, table);
    const step = rowBytes.get(name);
    if (step === undefined) {
      table.set(String(index), Buffer.from(bytes));
      continue;
    }
    for (let at = 0; at < bytes.length; at += step) {
      const row = Buffer.from(bytes.subarray(at, at + step));
      if (name === 'producers') addProducer(table, index + at / step, row);
      else if (name === 'ids') table.set(row.subarray(0, 16).toString('hex'), row);
      else table.set(row.subarray(0, 16).toString('hex'), name.startsWith('limits:') ? withoutReplay(row) : row);
    }
  }
  return contents;
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

function planOf(data: string, version: string): Plan {
  const folder = join(data, 'pipelines');
  const file = readdirSync(folder).find((name) => name === `${version.slice(0, 8)}.json`);
  return (JSON.parse(readFileSync(join(folder, file!), 'utf8')) as { plan: Plan }).plan;
}

function rowBytesOf(plan: Plan): Map<string, number> {
  const sizes = new Map([
    ['ids', ID_ENTRY_WORDS * 4],
    ['producers', PRODUCER_ROW_BYTES],
  ]);
  for (const entity of plan.entities) sizes.set(`entity:${entity.name}`, layOutRecord(entity).rowBytes);
  for (const { entity, rowBytes } of layOutLimits(plan)) sizes.set(`limits:${plan.entities[entity]!.name}`, rowBytes);
  return sizes;
}

function addProducer(table: Map<string, Buffer>, id: number, row: Buffer): void {
  if (row.some((byte) => byte !== 0)) table.set(String(id), row);
}

/** What recovery has noted for itself. */
function withoutReplay(row: Buffer): Buffer {
  return row
    .fill(0, 8 * REPLAY_EPOCH_SLOT, 8 * REPLAY_EPOCH_SLOT + 8)
    .fill(0, 8 * REPLAY_BASE_SLOT, 8 * REPLAY_BASE_SLOT + 8);
}
