/**
 * One column of `events`, gathered over many sealed blocks and written as a column of a Native block. Scalars are a null map
 * and values; an Array is cumulative offsets and values; a Map is Array(Tuple(keys, values)). Called by native-encoder.ts.
 */

import { fail } from '../base/fail.ts';
import { WORD, HIGH_WORD_AT } from '../base/words.ts';
import { rowBytes } from '../layout/column.ts';
import { KINDS } from '../language/kinds/index.ts';
import type { ColumnPlan } from '../plan/plan.ts';
import { pushGrowing, type ChunkList } from './chunks.ts';
import { createGrowing, extend, type BufferPool, type Growing } from './growing.ts';
import { createLowCardinalityGatherer } from './native-low-cardinality.ts';
import {
  createFixedGatherer,
  createNullGatherer,
  createTextGatherer,
  type NullGatherer,
  type SealedValues,
  type ValueGatherer,
} from './native-values.ts';
import { pad8 } from './seal-column.ts';

export interface NativeTexts {
  /** Bytes of the string with this id in the shared dictionary. */
  readonly dictionary: (id: number) => Uint8Array;
  readonly utf8: (text: string) => Uint8Array;
}

export interface ColumnGatherer {
  readonly plan: ColumnPlan;
  /** `values`: of the whole column as it was sealed; what it says afterwards is of no use. */
  append(values: SealedValues): void;
  appendConstant(values: SealedValues): void;
  appendPresets(rows: number): void;
  write(list: ChunkList): void;
}

/** The types that a column may be declared with; the plan's must be one of them. */
export function clickhouseTypes(plan: ColumnPlan): string[] {
  const { types, isLowCardinality } = KINDS[plan.kind].clickhouse;
  return types.map((type) => {
    if (plan.shape === 'list') return `Array(${type})`;
    if (plan.shape === 'map') return `Map(String, ${type})`;
    if (!plan.nullable) return type;
    return isLowCardinality ? 'LowCardinality(Nullable(String))' : `Nullable(${type})`;
  });
}

export function createColumnGatherer(pool: BufferPool, plan: ColumnPlan, texts: NativeTexts): ColumnGatherer {
  if (!clickhouseTypes(plan).includes(plan.clickhouseType)) fail('native_type', plan.index);
  const scalar = plan.shape === 'scalar';
  const values = createValues(pool, plan, texts, scalar && plan.nullable);
  if (!scalar) return createElementsGatherer(pool, plan, values);
  const low = plan.clickhouseType.startsWith('LowCardinality');
  return createScalarGatherer(plan, values, plan.nullable && !low ? createNullGatherer(pool) : null);
}

function createValues(pool: BufferPool, plan: ColumnPlan, texts: NativeTexts, nullable: boolean): ValueGatherer {
  const { native } = KINDS[plan.kind].clickhouse;
  switch (native.form) {
    case 'fixed':
      return createFixedGatherer(pool, rowBytes(plan.kind));
    case 'text':
      return createTextGatherer(pool);
    case 'lowCardinality': {
      const { width, signed } = native;
      const nameOf = native.textOf(plan);
      const textOf = nameOf === null ? texts.dictionary : encoded(nameOf, texts);
      return createLowCardinalityGatherer(pool, { width, signed, textOf }, nullable);
    }
  }
}

/** Asked once for each number of a batch. */
function encoded(
  nameOf: (number: number) => string | undefined,
  { utf8 }: NativeTexts,
): (number: number) => Uint8Array {
  return (number) => utf8(nameOf(number) ?? fail('native_code', number));
}

function createScalarGatherer(plan: ColumnPlan, values: ValueGatherer, nulls: NullGatherer | null): ColumnGatherer {
  return {
    plan,
    append(sealed) {
      if (plan.nullable) {
        const nullsBytes = pad8(sealed.count);
        sealed.nullsAt = sealed.at;
        sealed.at += nullsBytes;
        sealed.bytes -= nullsBytes;
      }
      if (nulls !== null) nulls.append(sealed);
      values.append(sealed);
    },
    appendConstant: (sealed) => values.appendConstant(sealed),
    appendPresets(rows) {
      if (nulls !== null) nulls.appendPresets(rows);
      values.appendPresets(rows);
    },
    write(list) {
      values.writePrefix(list);
      if (nulls !== null) nulls.write(list);
      values.write(list);
    },
  };
}

function createElementsGatherer(pool: BufferPool, plan: ColumnPlan, values: ValueGatherer): ColumnGatherer {
  const offsets = createGrowing(pool);
  const keys = plan.shape === 'map' ? createTextGatherer(pool) : null;
  let total = 0;
  return {
    plan,
    append(sealed) {
      const elements = appendOffsets(offsets, sealed, total);
      total += elements;
      let at = sealed.at + pad8(sealed.count * 4);
      const end = sealed.at + sealed.bytes;
      const inner = { ...sealed, count: elements, rows: elements, nullsAt: -1, rowList: null };
      if (keys !== null) {
        const bytes = sealed.view.getUint32(at, true);
        keys.append({ ...inner, at: at + 8, bytes });
        at += 8 + pad8(bytes);
      }
      values.append({ ...inner, at, bytes: end - at });
    },
    appendConstant: () => fail('native_constant_list', plan.index),
    appendPresets(rows) {
      const to = extend(offsets, rows * 8);
      for (let r = 0; r < rows; r++) writeOffset(offsets.view, to + 8 * r, total);
    },
    write(list) {
      values.writePrefix(list);
      pushGrowing(list, offsets);
      if (keys !== null) keys.write(list);
      values.write(list);
      total = 0;
    },
  };
}

/** Offsets stay far below 2^53; their high word is not always 0. */
function writeOffset(view: DataView, at: number, offset: number): void {
  view.setUint32(at, offset, true);
  view.setUint32(at + HIGH_WORD_AT, offset / WORD, true);
}

/** Counts of a sealed block as offsets that go on from `total`; returns how many elements there are. */
function appendOffsets(offsets: Growing, sealed: SealedValues, total: number): number {
  const { view, at, count, rowList, rowFrom, rows } = sealed;
  const to = extend(offsets, rows * 8);
  let offset = total;
  let next = 0;
  for (let r = 0; r < rows; r++) {
    if (next < count && (rowList === null || rowList[rowFrom + next] === r))
      offset += view.getUint32(at + 4 * next++, true);
    writeOffset(offsets.view, to + 8 * r, offset);
  }
  return offset - total;
}
