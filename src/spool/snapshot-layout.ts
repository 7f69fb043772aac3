/**
 * Snapshot files: what the shared tables held, so that the log can be trimmed. Names and what a header says;
 * `snapshot-file.ts` writes them and `snapshot-load.ts` reads them, both on the main thread.
 *
 *   a HEADER with JSON (SnapshotHeader), CHUNKs, a FOOTER: native-free-core/layout/snapshot-sections.ts
 *
 * A snapshot is taken while epochs go by, from `fromEpoch` to `atEpoch`: it may hold traces of any epoch up to the latter,
 * so it must not be believed before that one is durable. Therefore it grows under a temporary name, and `complete(atEpoch)`
 * gives it its own, `snapshot-<at epoch>.bin`.
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { positionOf, written, type Position } from '../contract/event-log.ts';
import type { Storage } from './storage.ts';

export interface SnapshotHeader {
  /** The first epoch whose rows must be applied after loading. */
  readonly fromEpoch: Position;
  /** Hash of the pipeline whose tables these are. */
  readonly pipelineVersion: string;
  /** Id of the log that it belongs to (durable-mark.ts); snapshots of before have none. */
  readonly folderId?: number;
  /** What the sections' owners want to know before they read their chunks: sizes, layout versions. JSON. */
  readonly sections: Readonly<Record<string, unknown>>;
}

export const SNAPSHOT_FORMAT = 1;
/** One chunk is read back in one piece. */
export const SNAPSHOT_CHUNK_BYTES_MAX = 1 << 30;

const NAME = /^snapshot-(\d{16})\.bin$/;
export const SNAPSHOT_TEMPORARY = 'snapshot.tmp';

export function snapshotPath(directory: string, atEpoch: Position): string {
  return path.join(directory, `snapshot-${String(written(atEpoch)).padStart(16, '0')}.bin`);
}

/** Epochs of the complete snapshots in the folder, newest first. */
export function listSnapshots(storage: Storage, directory: string): Position[] {
  const epochs: number[] = [];
  for (const name of storage.list(directory)) {
    const match = NAME.exec(name);
    if (match !== null) epochs.push(Number(match[1]));
  }
  return epochs.sort((left, right) => right - left).map(positionOf);
}

/** Goes on with a checksum. Node's `crc32` of no bytes is 0, whatever came before. */
export function checksum(bytes: Uint8Array, before: number): number {
  return bytes.length === 0 ? before : crc32(bytes, before);
}
