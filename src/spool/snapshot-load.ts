/**
 * Finds and reads the newest whole snapshot (layout: snapshot-layout.ts), once: what is damaged is found while it is put
 * into the tables. Main thread, at start, before anything runs.
 */

import { crc32 } from 'node:zlib';

import { positionOf, type Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { paddedBytes } from './epoch-record.ts';
import { SNAPSHOT_FORMAT, checksum, listSnapshots, snapshotPath } from './snapshot-layout.ts';
import type { SnapshotHeader } from './snapshot-layout.ts';
import type { Storage, StorageFile } from './storage.ts';
import { CHECKED_FROM, readMagic, readChecksum } from '../../native-free-core/layout/checked-record.ts';
import {
  SNAPSHOT_MAGIC_HEADER,
  SNAPSHOT_MAGIC_CHUNK,
  SNAPSHOT_MAGIC_FOOTER,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  readJsonBytes,
  readChunkHeader,
  readSnapshotFooter,
} from '../../native-free-core/layout/snapshot-sections.ts';

const SNAPSHOT_CORRUPT = 'snapshot_corrupt';
/** No header or name is longer; chunks get a larger buffer where they need one. */
const BUFFER_BYTES = 1 << 20;

export interface SnapshotChunk {
  readonly name: string;
  readonly index: number;
  /** 8-aligned; valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

export interface LoadedSnapshot extends SnapshotHeader {
  /** Traces of epochs up to this one are in it: the log must hold all up to here. */
  readonly atEpoch: Position;
  /** The chunks in the order in which they were written. */
  chunks(): Generator<SnapshotChunk, void>;
}

/**
 * Hands the newest snapshot to `restore`, and the next older one where that turns out to be damaged: `restore` begins anew
 * then, with nothing of what it was handed before. null where none is whole. Damaged ones are named to `warn`.
 */
export function restoreNewest<Restored>(
  storage: Storage,
  directory: string,
  restore: (snapshot: LoadedSnapshot) => Restored,
  warn: (message: string) => void,
): Restored | null {
  storage.makeDirectory(directory);
  for (const atEpoch of listSnapshots(storage, directory)) {
    const file = snapshotPath(directory, atEpoch);
    try {
      const header = readSnapshotHeader(storage, file);
      if (header === null) throw damaged(file, 0);
      return restore({ ...header, atEpoch, chunks: () => readChunks(storage, file, atEpoch) });
    } catch (error) {
      if (!(error instanceof OperatingError) || error.code !== SNAPSHOT_CORRUPT) throw error;
      warn(`a snapshot is damaged and not used: file=${file} reason=${error.message}`);
    }
  }
  return null;
}

export function readSnapshotHeader(storage: Storage, file: string): SnapshotHeader | null {
  const opened = storage.open(file);
  try {
    return readHeader(opened)?.header ?? null;
  } finally {
    opened.close();
  }
}

function readHeader(file: StorageFile): { header: SnapshotHeader; end: number } | null {
  const start = new Uint8Array(SNAPSHOT_HEADER_BYTES);
  if (file.read(start, 0, SNAPSHOT_HEADER_BYTES, 0) < SNAPSHOT_HEADER_BYTES) return null;
  const view = new DataView(start.buffer);
  const length = readJsonBytes(view);
  if (readMagic(view, 0) !== SNAPSHOT_MAGIC_HEADER || length > BUFFER_BYTES) return null;
  const json = new Uint8Array(length);
  if (file.read(json, 0, length, SNAPSHOT_HEADER_BYTES) < length) return null;
  if (readChecksum(view, 0) !== crc32(json, crc32(start.subarray(CHECKED_FROM)))) return null;
  const parsed = JSON.parse(new TextDecoder().decode(json)) as SnapshotHeader & { format: number };
  if (parsed.format !== SNAPSHOT_FORMAT) return null;
  const { format: _, ...header } = parsed;
  return { header, end: SNAPSHOT_HEADER_BYTES + paddedBytes(length) };
}

/** Yields the chunks, each checked. Throws where the file is not whole, or not of that epoch. */
function* readChunks(storage: Storage, path: string, atEpoch: Position): Generator<SnapshotChunk, void> {
  const file = storage.open(path);
  try {
    const start = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
    const view = new DataView(start.buffer);
    const decoder = new TextDecoder();
    let position = readHeader(file)?.end ?? 0;
    let bytes = new Uint8Array(BUFFER_BYTES);
    for (let chunks = 0; ; chunks++) {
      const there = file.read(start, 0, SNAPSHOT_CHUNK_BYTES, position) === SNAPSHOT_CHUNK_BYTES;
      const magic = readMagic(view, 0);
      const crc = readChecksum(view, 0);
      const footer = readSnapshotFooter(view);
      if (
        there &&
        magic === SNAPSHOT_MAGIC_FOOTER &&
        footer.chunks === chunks &&
        crc === crc32(start.subarray(CHECKED_FROM))
      ) {
        if (positionOf(footer.atEpoch) !== atEpoch) throw damaged(path, position);
        return;
      }
      const { nameBytes, bytes: length, index } = readChunkHeader(view);
      const from = paddedBytes(nameBytes);
      const body = from + paddedBytes(length);
      const end = position + SNAPSHOT_CHUNK_BYTES + body;
      if (!there || magic !== SNAPSHOT_MAGIC_CHUNK || nameBytes > BUFFER_BYTES || end > file.size())
        throw damaged(path, position);
      if (body > bytes.length) bytes = new Uint8Array(body);
      file.read(bytes, 0, body, position + SNAPSHOT_CHUNK_BYTES);
      if (crc !== checksum(bytes.subarray(0, from + length), crc32(start.subarray(CHECKED_FROM))))
        throw damaged(path, position);
      const name = decoder.decode(bytes.subarray(0, nameBytes));
      yield { name, index, bytes: bytes.subarray(from, from + length) };
      position = end;
    }
  } finally {
    file.close();
  }
}

function damaged(path: string, position: number): OperatingError {
  return new OperatingError(
    SNAPSHOT_CORRUPT,
    `unreadable: file=${path} position=${position}; an older snapshot must serve`,
  );
}
