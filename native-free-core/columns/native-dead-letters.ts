/**
 * The batch encoder of the table `dead_letters`: what the sealed blocks of a batch refused, with bytes and reason, as Native
 * blocks. Main thread, beside native-encoder.ts. Dead letters are few, so this goes by entry, not by column.
 */

import { fail } from '../base/fail.ts';
import { outcomeText } from '../base/outcomes.ts';
import { WORD, HIGH_WORD_AT } from '../base/words.ts';
import { DEAD_WHOLE_FRAME } from '../layout/dead-letter-entry.ts';
import { ENCODING_CODES } from '../layout/encoding-codes.ts';
import { createChunks, finishChunks, pushBytes, pushGrowing, pushVarint, type NativeBlock } from './chunks.ts';
import { createGrowing, createPool, extend, type BufferPool, type Growing } from './growing.ts';
import { eachDeadLetter, readBlockHeader, type BlockDeadLetter } from './load-block.ts';
import { createBatchColumns, type BatchColumns } from './native-batch-columns.ts';
import type { NativeTexts } from './native-column.ts';
import { columnTitle } from './native-title.ts';
import { appendRange } from './native-values.ts';
import type { NativeEncoder, NativeOptions } from './native-encoder.ts';
import { createProducerNames, type ProducerNames } from './block-producers.ts';

/** An encoding's number in the column: ClickHouse counts from 1 there. */
const ENUM_OFFSET = 1;
const ENCODING_ENUM = Object.entries(ENCODING_CODES).map(([name, code]) => `'${name}' = ${code + ENUM_OFFSET}`);

/** Besides the batch columns. `frame_index`: which event of the frame; NULL where the whole frame was refused. */
export const DEAD_LETTER_COLUMNS = [
  { name: 'received_at', type: "DateTime64(3, 'UTC')" },
  { name: 'producer', type: 'String' },
  { name: 'frame_seq', type: 'UInt64' },
  { name: 'frame_index', type: 'Nullable(UInt32)' },
  { name: 'kind', type: "Enum8('event' = 1, 'frame' = 2)" },
  { name: 'code', type: 'String' },
  { name: 'reason', type: 'String' },
  { name: 'field', type: 'String' },
  { name: 'value', type: 'String' },
  { name: 'encoding', type: `Enum8(${ENCODING_ENUM.join(', ')})` },
  { name: 'bytes', type: 'String' },
] as const;

const BYTES_AT = DEAD_LETTER_COLUMNS.findIndex(({ name }) => name === 'bytes');
const ROWS_PER_BLOCK_MAX = 65536;
/** Of refused bytes in one Native block. */
const BYTES_PER_BLOCK_MAX = 64 << 20;
const POOL_BYTES_MAX = 16 << 20;

interface Gathering {
  readonly texts: NativeTexts;
  readonly producers: ProducerNames;
  readonly pool: BufferPool;
  readonly titles: readonly Uint8Array[];
  /** One for each of DEAD_LETTER_COLUMNS; of `frame_index` the values, its null map is `nulls`. */
  readonly data: readonly Growing[];
  readonly nulls: Growing;
  readonly batchColumns: BatchColumns;
  readonly known: Map<number, { readonly code: Uint8Array; readonly reason: Uint8Array }>;
  rows: number;
}

export function createDeadLetterEncoder(texts: NativeTexts, options: NativeOptions): NativeEncoder {
  const rowsMax = options.rowsPerBlockMax ?? ROWS_PER_BLOCK_MAX;
  const g = createGathering(texts);
  const emit = (): void => {
    if (g.rows > 0) options.sink(writeBlock(g));
  };
  return {
    begin(log, batch) {
      if (g.rows > 0) fail('native_batch_open', g.rows);
      g.batchColumns.begin(log, batch);
      g.producers.clear();
    },
    appendBlock(block, epoch) {
      const header = readBlockHeader(block);
      if (header.deadLetters === 0) return;
      // Names are written out letter by letter.
      g.producers.enter(block, () => undefined);
      eachDeadLetter(block, (letter) => {
        if (g.rows >= rowsMax || g.data[BYTES_AT].end + letter.length > BYTES_PER_BLOCK_MAX) emit();
        g.batchColumns.append(epoch, header.pipelineNumber, 1);
        appendLetter(g, block, letter, header.receivedAt);
      });
    },
    finish() {
      emit();
      return g.batchColumns.batchRows();
    },
  };
}

function createGathering(texts: NativeTexts): Gathering {
  const pool = createPool(POOL_BYTES_MAX);
  return {
    texts,
    producers: createProducerNames(texts),
    pool,
    titles: DEAD_LETTER_COLUMNS.map(({ name, type }) => columnTitle(name, type, texts.utf8)),
    data: DEAD_LETTER_COLUMNS.map(() => createGrowing(pool)),
    nulls: createGrowing(pool),
    batchColumns: createBatchColumns(pool, texts.utf8),
    known: new Map(),
    rows: 0,
  };
}

function appendLetter(g: Gathering, block: Uint8Array, letter: BlockDeadLetter, receivedAt: number): void {
  const [received, producer, seq, index, kind, code, reason, field, value, encoding, bytes] = g.data;
  const whole = letter.index === DEAD_WHOLE_FRAME;
  const high = Math.floor(receivedAt / WORD);
  append64(received, receivedAt - high * WORD, high);
  const name = g.producers.textOf(letter.producer);
  appendText(producer, name, 0, name.length);
  append64(seq, letter.seq.low, letter.seq.high);
  appendByte(g.nulls, whole ? 1 : 0);
  append32(index, whole ? 0 : letter.index);
  appendByte(kind, whole ? 2 : 1);
  const texts = textsOf(g, letter.outcome);
  appendText(code, texts.code, 0, texts.code.length);
  appendDetail(block, letter, field, value, reason, texts.reason);
  appendByte(encoding, letter.encoding + ENUM_OFFSET);
  appendText(bytes, block, letter.start, letter.length);
  g.rows++;
}

/** Details are field, value and reason with a zero between. */
function appendDetail(
  block: Uint8Array,
  { detailStart, detailLength }: BlockDeadLetter,
  field: Growing,
  value: Growing,
  reason: Growing,
  fixed: Uint8Array,
): void {
  const end = detailStart + detailLength;
  const valueAt = detailLength === 0 ? end : block.indexOf(0, detailStart) + 1;
  const reasonAt = detailLength === 0 ? end : block.indexOf(0, valueAt) + 1;
  appendText(field, block, detailStart, Math.max(0, valueAt - 1 - detailStart));
  appendText(value, block, valueAt, Math.max(0, reasonAt - 1 - valueAt));
  if (detailLength === 0) appendText(reason, fixed, 0, fixed.length);
  else appendText(reason, block, reasonAt, end - reasonAt);
}

function textsOf(g: Gathering, outcome: number): { readonly code: Uint8Array; readonly reason: Uint8Array } {
  let texts = g.known.get(outcome);
  if (texts === undefined) {
    const { code, text } = outcomeText(outcome);
    texts = { code: g.texts.utf8(code), reason: g.texts.utf8(text) };
    g.known.set(outcome, texts);
  }
  return texts;
}

function appendByte(target: Growing, value: number): void {
  const at = extend(target, 1);
  target.bytes[at] = value;
}

function append32(target: Growing, value: number): void {
  const at = extend(target, 4);
  target.view.setUint32(at, value, true);
}

function append64(target: Growing, low: number, high: number): void {
  const at = extend(target, 8);
  target.view.setUint32(at, low, true);
  target.view.setInt32(at + HIGH_WORD_AT, high, true);
}

function appendText(target: Growing, bytes: Uint8Array, start: number, length: number): void {
  let rest = length;
  for (; rest > 127; rest >>>= 7) appendByte(target, (rest & 127) | 128);
  appendByte(target, rest);
  const at = extend(target, length);
  appendRange(target.bytes, at, bytes, start, length);
}

function writeBlock(g: Gathering): NativeBlock {
  const list = createChunks(g.pool);
  pushVarint(list, g.batchColumns.count + DEAD_LETTER_COLUMNS.length);
  pushVarint(list, g.rows);
  g.batchColumns.write(list);
  DEAD_LETTER_COLUMNS.forEach(({ name }, i) => {
    pushBytes(list, g.titles[i]);
    if (name === 'frame_index') pushGrowing(list, g.nulls);
    pushGrowing(list, g.data[i]);
  });
  const rows = g.rows;
  g.rows = 0;
  return finishChunks(list, rows);
}
