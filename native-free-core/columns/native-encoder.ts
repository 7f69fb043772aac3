/**
 * The batch encoder: the sealed blocks of a batch, tiny or large, as few large blocks in ClickHouse's Native format. Columns
 * already are typed arrays, so encoding is concatenation. Main thread; the same blocks in give the same bytes out.
 *
 *   begin(log, batch) · appendBlock(block, epoch) ... · finish()     Native blocks go to the sink as soon as they are full
 *
 *   Native block   varint columns, varint rows, then per column: name, type (both varint + bytes), data
 */

import { fail } from '../base/fail.ts';
import { KINDS } from '../language/kinds/index.ts';
import {
  BLOCK_COLUMN_ABSENT,
  BLOCK_COLUMN_CONSTANT,
  BLOCK_COLUMN_BRANCH,
  readDirectoryEntry,
  type DirectoryEntry,
} from '../layout/block-directory.ts';
import type { BlockHeader } from '../layout/block-layout.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { Plan } from '../plan/plan.ts';
import { branchCount, createBranchRows, groupByBranch, type BranchRows } from './branch-rows.ts';
import { createChunks, finishChunks, pushBytes, pushVarint, type ChunkList, type NativeBlock } from './chunks.ts';
import { createPool, type BufferPool } from './growing.ts';
import { readBlockHeader, viewOf } from './load-block.ts';
import { createBatchColumns, type BatchColumns } from './native-batch-columns.ts';
import { createColumnGatherer, type ColumnGatherer, type NativeTexts } from './native-column.ts';
import { columnTitle } from './native-title.ts';
import { createSealedValues, type SealedValues } from './native-values.ts';
import { createProducerNames, type ProducerNames } from './block-producers.ts';

/** Rows of one Native block: large enough for ClickHouse's vectors, small enough to leave the process in steps. */
const ROWS_PER_BLOCK_MAX = 65536;
/** Sealed bytes of one Native block, whatever its rows: bounds the buffers where values are long. */
const BYTES_PER_BLOCK_MAX = 64 << 20;
/** Free buffers kept: about what two Native blocks take. */
const POOL_BYTES_MAX = 128 << 20;

export interface NativeOptions {
  /** Takes each Native block as it becomes full. Its chunks are the sink's until it calls `release`. */
  readonly sink: (block: NativeBlock) => void;
  readonly rowsPerBlockMax?: number;
}

export interface NativeEncoder {
  /** Starts a batch: its rows are numbered from 0. */
  begin(log: number, batch: number): void;
  /** The block's bytes are free again when this returns. */
  appendBlock(block: Uint8Array, epoch: number): void;
  /** Hands out what is left; returns how many rows the batch has. */
  finish(): number;
}

interface GatheredColumn {
  readonly gatherer: ColumnGatherer;
  /** Column name and type as they stand in a Native block. */
  readonly title: Uint8Array;
  /** Whether ClickHouse's own default is the preset, so that a column without values need not be sent. */
  readonly omittable: boolean;
  /** Rows of the running Native block that it has; the rest up to `rows` are presets. */
  rows: number;
}

interface Encoding {
  readonly plan: Plan;
  readonly pool: BufferPool;
  readonly columns: readonly GatheredColumn[];
  readonly batchColumns: BatchColumns;
  readonly producers: ProducerNames;
  readonly group: BranchRows | null;
  readonly codes: Uint16Array;
  /** Of the column that is being appended. */
  readonly values: SealedValues;
  /** Of the running Native block. */
  rows: number;
  bytes: number;
}

export function createNativeEncoder(plan: Plan, texts: NativeTexts, options: NativeOptions): NativeEncoder {
  const rowsMax = options.rowsPerBlockMax ?? ROWS_PER_BLOCK_MAX;
  const e = createEncoding(plan, texts);
  const emit = (): void => {
    if (e.rows > 0) options.sink(writeBlock(e));
  };
  return {
    begin(log, batch) {
      if (e.rows > 0) fail('native_batch_open', e.rows);
      e.batchColumns.begin(log, batch);
      e.producers.clear();
    },
    appendBlock(block, epoch) {
      const header = readBlockHeader(block);
      if (header.rows === 0) return;
      if (e.rows > 0 && (e.rows + header.rows > rowsMax || e.bytes + header.bytes > BYTES_PER_BLOCK_MAX)) emit();
      // A Native block has one text for each number.
      e.producers.enter(block, emit);
      appendBlock(e, block, header, epoch);
    },
    finish() {
      emit();
      return e.batchColumns.batchRows();
    },
  };
}

function createEncoding(plan: Plan, texts: NativeTexts): Encoding {
  const pool = createPool(POOL_BYTES_MAX);
  const producers = createProducerNames(texts);
  const columns = plan.columns.map((column, i): GatheredColumn => {
    const names = column.nullable || column.shape !== 'scalar' ? null : KINDS[column.kind].names(column);
    // ClickHouse presets a name to '': where the name of 0 is another one, it must be sent.
    const isPreset = names === null || new Map(names).get(0) === '';
    return {
      gatherer: createColumnGatherer(
        pool,
        column,
        i === plan.system.producer ? { ...texts, dictionary: producers.textOf } : texts,
      ),
      title: columnTitle(column.name, column.clickhouseType, texts.utf8),
      omittable: column.storedNullable !== true && isPreset,
      rows: 0,
    };
  });
  const codes = plan.system.type < 0 ? 0 : (plan.columns[plan.system.type].labels?.length ?? 0);
  return {
    plan,
    pool,
    columns,
    batchColumns: createBatchColumns(pool, texts.utf8),
    producers,
    group: codes > 0 ? createBranchRows(codes) : null,
    codes: new Uint16Array(codes > 0 ? BLOCK_ROWS_MAX : 0),
    values: createSealedValues(),
    rows: 0,
    bytes: 0,
  };
}

function appendBlock(e: Encoding, block: Uint8Array, header: BlockHeader, epoch: number): void {
  const view = viewOf(block);
  if (header.columns !== e.columns.length) fail('native_columns', header.columns);
  let group: BranchRows | null = null;
  for (let i = 0; i < e.columns.length; i++) {
    const entry = readDirectoryEntry(view, 0, i);
    if (entry.encoding === BLOCK_COLUMN_ABSENT) continue;
    if (entry.encoding === BLOCK_COLUMN_BRANCH) group ??= groupRows(e, view, header.rows);
    appendColumn(e, e.columns[i], block, view, entry, header.rows, group);
  }
  e.batchColumns.append(epoch, header.pipelineNumber, header.rows);
  e.rows += header.rows;
  e.bytes += header.bytes;
}

/** Columns of a branch lie by the type column, which then is PLAIN: a single type leaves no branch with a small share. */
function groupRows(e: Encoding, view: DataView, rows: number): BranchRows {
  const group = e.group ?? fail('native_branch', rows);
  const { at } = readDirectoryEntry(view, 0, e.plan.system.type);
  for (let r = 0; r < rows; r++) e.codes[r] = view.getUint16(at + 2 * r, true);
  groupByBranch(group, e.codes, rows);
  return group;
}

function appendColumn(
  e: Encoding,
  column: GatheredColumn,
  block: Uint8Array,
  view: DataView,
  { encoding, at, bytes }: DirectoryEntry,
  rows: number,
  group: BranchRows | null,
): void {
  if (column.rows < e.rows) column.gatherer.appendPresets(e.rows - column.rows);
  column.rows = e.rows + rows;
  const branch = column.gatherer.plan.branch;
  const some = encoding === BLOCK_COLUMN_BRANCH && group !== null;
  const values = e.values;
  values.block = block;
  values.view = view;
  values.at = at;
  values.bytes = bytes;
  values.count = some ? branchCount(group, branch) : rows;
  values.nullsAt = -1;
  values.rowList = some ? group.rows : null;
  values.rowFrom = some ? group.starts[branch] : 0;
  values.rows = rows;
  if (encoding === BLOCK_COLUMN_CONSTANT) column.gatherer.appendConstant(values);
  else column.gatherer.append(values);
}

function writeBlock(e: Encoding): NativeBlock {
  const list = createChunks(e.pool);
  const rows = e.rows;
  const written = e.columns.filter((column) => column.rows > 0 || !column.omittable);
  pushVarint(list, written.length + e.batchColumns.count);
  pushVarint(list, rows);
  e.batchColumns.write(list);
  for (const column of written) writeColumn(list, column, rows);
  e.rows = 0;
  e.bytes = 0;
  return finishChunks(list, rows);
}

function writeColumn(list: ChunkList, column: GatheredColumn, rows: number): void {
  if (column.rows < rows) column.gatherer.appendPresets(rows - column.rows);
  column.rows = 0;
  pushBytes(list, column.title);
  column.gatherer.write(list);
}
