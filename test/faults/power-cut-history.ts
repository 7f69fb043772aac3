/**
 * Everything durable that the log has ever held, kept by the test as ClickHouse would keep it: epochs with their blocks, and
 * the rows in them as plain values. It only grows: what a start has found can never be missing again.
 */

import { eachDictionaryEntry, eachFrame, eachName, loadBlock } from '../../native-free-core/columns/load-block.ts';
import { createColumn, resetColumn, type Column } from '../../native-free-core/layout/column.ts';
import { noText } from './power-cut-start.ts';
import { FRAME_HAS_SEQ, FRAME_DUPLICATE } from '../../native-free-core/layout/frame-entry.ts';
import { seqNumber } from '../../native-free-core/layout/seq.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { StoredRow } from './power-cut-oracle.ts';
import { written, type LogEntry } from '../../src/contract/event-log.ts';

const HIGH = 4294967296;

export interface History {
  /** Epoch 1, 2, 3… */
  readonly epochs: LogEntry[];
  readonly rows: Map<string, StoredRow>;
  /** `producer/seq` of every frame that was taken. */
  readonly frames: Set<string>;
  readonly dictionary: string[];
}

export function createHistory(): History {
  return { epochs: [], rows: new Map(), frames: new Set(), dictionary: [''] };
}

/** Reads sealed blocks of one plan into plain rows. */
export class BlockReader {
  readonly #plan: Plan;
  readonly #columns: readonly Column[];
  readonly #decoder = new TextDecoder();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#columns = plan.columns.map((column) => createColumn(column));
  }

  /**
   * Adds the epoch that follows the last one; returns its rows. Throws where a row or frame is there for the second time.
   */
  add(history: History, { epoch: position, blocks }: LogEntry): StoredRow[] {
    const epoch = written(position);
    if (epoch !== history.epochs.length + 1) throw new Error(`not the next epoch: epoch=${epoch}`);
    const copies = blocks.map((block) => block.slice());
    history.epochs.push({ epoch: position, blocks: copies });
    return copies.flatMap((block) => this.#addBlock(history, block, epoch));
  }

  #addBlock(history: History, block: Uint8Array, epoch: number): StoredRow[] {
    eachDictionaryEntry(block, (id, bytes, start, length) => {
      const text = this.#decoder.decode(bytes.slice(start, start + length));
      const known = (history.dictionary[id] ??= text);
      if (known !== text) throw new Error(`a dictionary id means two texts: id=${id} ${known} ${text}`);
    });
    const names = new Map<number, string>();
    eachName(block, noText, (producer, name) => names.set(producer, this.#decoder.decode(name.slice())));
    eachFrame(block, ({ producer, flags, seq }) => {
      if ((flags & FRAME_HAS_SEQ) === 0 || (flags & FRAME_DUPLICATE) !== 0) return;
      const frame = `${names.get(producer)}/${seqNumber(seq)}`;
      if (history.frames.has(frame)) throw new Error(`taken twice: frame=${frame} epoch=${epoch}`);
      history.frames.add(frame);
    });
    const header = loadBlock(this.#plan, this.#columns, block);
    const rows: StoredRow[] = [];
    for (let r = 0; r < header.rows; r++) {
      const values = Object.fromEntries(
        this.#columns.map((column) => [
          column.plan.name,
          column.plan.name === '_producer'
            ? (names.get(column.u32[r]!) ?? '')
            : this.#value(column, r, history.dictionary),
        ]),
      );
      const id = String(values['id']);
      const row = {
        id,
        epoch,
        receivedAt: Number(values['received_at']),
        effectiveTime: Number(values['effective_time']),
        values,
      };
      if (history.rows.has(id)) throw new Error(`stored twice: id=${id} epoch=${epoch}`);
      if (row.receivedAt !== header.receivedAt) throw new Error(`received_at differs from its block's: id=${id}`);
      history.rows.set(id, row);
      rows.push(row);
    }
    for (const column of this.#columns) resetColumn(column, header.rows);
    return rows;
  }

  #value(column: Column, r: number, dictionary: readonly string[]): number | string | null {
    if (column.nulls.length !== 0 && column.nulls[r] !== 0) return null;
    switch (column.kind) {
      case 'u8':
        return column.u8[r];
      case 'u32':
        return column.u32[r];
      case 'u64':
        return column.u32[2 * r] + column.u32[2 * r + 1] * HIGH;
      case 'time':
        return column.u32[2 * r] + column.i32[2 * r + 1] * HIGH;
      case 'f64':
        return column.f64[r];
      case 'code':
        return column.plan.labels?.[column.u16[r]] ?? '';
      case 'dictionary':
        return dictionary[column.u32[r]];
      case 'string': {
        const start = column.starts[r];
        return this.#decoder.decode(column.heap.slice(start, start + column.lengths[r]));
      }
      default:
        throw new Error(`no column of this kind is in the pipeline: kind=${column.kind}`);
    }
  }
}
