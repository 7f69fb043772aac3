/** A worker's block to fill and seal, with a dictionary of its own. */

import {
  createDeadLetterLog,
  createFrameLog,
  createNameLog,
  appendName,
  resetNameLog,
  resetDeadLetterLog,
  resetFrameLog,
} from '../../native-free-core/columns/block-logs.ts';
import { compileSealer, type SealInput } from '../../native-free-core/columns/seal.ts';
import { createColumn, resetColumn } from '../../native-free-core/layout/column.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import {
  createDictionary,
  dictionaryCount,
  entryAt,
  entryBytes,
  internEntry,
  openDictionary,
} from '../../native-free-core/state/dictionary.ts';
import { utf8, writeValue, type Value } from './write-value.ts';

export const RECEIVED_AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export type Row = Readonly<Record<string, Value>>;
export type BlockWorld = ReturnType<typeof createBlockWorld>;

export function createBlockWorld(plan: Plan, laneBytes = 16 << 20) {
  const columns = plan.columns.map((column) => createColumn(column));
  const sealer = compileSealer(plan, columns);
  const lane = new SharedArrayBuffer(laneBytes);
  const out = new Uint8Array(lane).fill(0xaa);
  const view = new DataView(lane);
  const frames = createFrameLog();
  const deadLetters = createDeadLetterLog();
  const names = createNameLog();
  const dictionary = openDictionary(createDictionary(200_000, 8 << 20));
  let dictionaryLogged = 1;
  const intern = (text: string): number => internEntry(dictionary, utf8(text), 0, utf8(text).length);
  /** The number by which the blocks know a producer; the running one says so. */
  const producer = (text: string): number => {
    const id = intern(text);
    if (id > 0) appendName(names, id, utf8(text));
    return id;
  };
  return {
    plan,
    columns,
    frames,
    deadLetters,
    sealer,
    out,
    view,
    dictionary,
    intern,
    producer,
    textOf: (id: number): Uint8Array =>
      dictionary.bytes.slice(entryAt(dictionary, id), entryAt(dictionary, id) + entryBytes(dictionary, id)),
    writeRows(rows: readonly Row[]): void {
      rows.forEach((row, r) => {
        for (const column of columns) {
          const value = row[column.plan.name];
          writeValue(
            column,
            r,
            column.kind === 'dictionary'
              ? interned(value, column.plan.index === plan.system.producer ? producer : intern)
              : value,
          );
        }
        writeValue(columns[plan.system.receivedAt], r, BigInt(RECEIVED_AT));
      });
    },
    /** What `sealBlock` takes; the columns must have been written. */
    input(rows: number, receivedAt = RECEIVED_AT): SealInput {
      const dictionaryEnd = dictionaryCount(dictionary);
      const input: SealInput = {
        rows,
        receivedAt,
        pipelineNumber: plan.versionNumber,
        admittedAt: receivedAt - 1,
        frames,
        deadLetters,
        names,
        unknownFields: 0,
        dictionary,
        dictionaryFrom: dictionaryLogged,
        dictionaryEnd,
      };
      dictionaryLogged = dictionaryEnd;
      return input;
    },
    /** Seals at an 8-aligned place of the lane and hands out a copy; the columns are preset again. */
    seal(rows: number, receivedAt = RECEIVED_AT): Uint8Array {
      const input = this.input(rows, receivedAt);
      const bytes = sealer.sealedBytes(input);
      const end = sealer.sealBlock(out, view, 24, input);
      if (end !== 24 + bytes) throw new Error(`sealed ${end - 24} bytes, announced ${bytes}`);
      this.reset(rows);
      return out.slice(24, end);
    },
    reset(rows: number): void {
      for (const column of columns) resetColumn(column, rows);
      resetFrameLog(frames);
      resetDeadLetterLog(deadLetters);
      resetNameLog(names);
    },
  };
}

function interned(value: Value, intern: (text: string) => number): Value {
  if (typeof value === 'string') return intern(value);
  if (value instanceof Map) return new Map([...value].map(([key, text]) => [key, intern(text as string)]));
  if (Array.isArray(value)) return value.map((text) => intern(text as string));
  return value;
}
