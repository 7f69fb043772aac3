/**
 * Entity keys as four Int32 words. Compiled per entity into a loop over the rows of a block: integers are their own
 * words, strings are hashed, composite keys are folded together. `keyFromText` makes the same words for a look-up.
 *
 *   integer, time, bool  low, high of the 64-bit value, 0, 1
 *   code, enum, dictionary  their number the same way
 *   double               low, high of its bits (-0 as 0), 0, 2
 *   string, bytes        murmur3-128 of the bytes
 */

import { hashBytes, combineWords } from '../base/hash.ts';
import type { Column } from '../layout/column.ts';
import { columnAt, slotOf, VIEWS_FROM, type EntityPlan, type Expression, type Plan } from '../plan/plan.ts';
import { bindColumns, type EmitExpression } from './bind-columns.ts';

const HASH_SEED = 2;
const TAG_INTEGER = 1;
const TAG_DOUBLE = 2;

/** Fills `keys` (four words a row) and `present` for the rows [from, to). */
export type KeyLoop = (from: number, to: number) => void;

export interface KeyBuffers {
  readonly keys: Int32Array;
  readonly present: Uint8Array;
}

export function compileKeys(
  plan: Plan,
  entity: EntityPlan,
  columns: readonly Column[],
  buffers: KeyBuffers,
  emit: EmitExpression,
): KeyLoop {
  const parts = entity.key.map((part, i) => emitPart(plan, part, i, emit));
  const body = `'use strict';
const { keys, present } = buffers;
const part = new Int32Array(4), bits = new Float64Array(1), bitWords = new Int32Array(bits.buffer);
${emit.declarations()}
return function keys_${entity.name}(from, to) {
  for (let r = from; r < to; r++) {
    let has = true;
    ${parts.join('\n    ')}
    present[r] = has ? 1 : 0;
  }
};`;
  const make = new Function(
    'columns',
    'buffers',
    'hashBytes',
    'combineWords',
    'runtime',
    `${bindColumns(columns, body).declarations}\n${body}`,
  ) as (
    columns: readonly Column[],
    buffers: KeyBuffers,
    hash: typeof hashBytes,
    combine: typeof combineWords,
    runtime: unknown,
  ) => KeyLoop;
  return make(columns, buffers, hashBytes, combineWords, emit.runtime);
}

function emitPart(plan: Plan, part: Expression, i: number, emit: EmitExpression): string {
  const words = i === 0 ? 'keys' : 'part';
  const at = i === 0 ? '4 * r' : '0';
  const store = part.node === 'column' ? emitColumn(plan, part.column, words, at) : emitComputed(part, emit, words, at);
  return i === 0 ? store : `${store} if (has) combineWords(keys, 4 * r, part, 0);`;
}

/** A column's own words. A key without presence that is 0 or '' is no key (docs/semantics.md §3). */
function emitColumn(plan: Plan, index: number, words: string, at: string): string {
  const { kind, nullable, branch } = columnAt(plan, index);
  const c = `c${slotOf(plan, index)}`;
  const set = (low: string, high: string, tag: number): string =>
    `${words}[${at}] = ${low}; ${words}[${at} + 1] = ${high}; ${words}[${at} + 2] = 0; ${words}[${at} + 3] = ${tag};`;
  const elsewhere = index < VIEWS_FROM ? '' : `c${plan.system.type}_u16[r] !== ${branch} || `;
  const absent = nullable ? `${elsewhere}${c}_nulls[r] !== 0` : '';
  const guard = (isZero: string, store: string): string =>
    `if (${nullable ? absent : isZero}) has = false; else { ${store} }`;
  switch (kind) {
    case 'u64':
    case 'i64':
    case 'time':
      return guard(
        `(${c}_i32[2 * r] | ${c}_i32[2 * r + 1]) === 0`,
        set(`${c}_i32[2 * r]`, `${c}_i32[2 * r + 1]`, TAG_INTEGER),
      );
    case 'string':
    case 'bytes':
      return guard(
        `${c}_lengths[r] === 0`,
        `hashBytes(${c}_heap, ${c}_starts[r], ${c}_lengths[r], ${HASH_SEED}, ${words}, ${at});`,
      );
    case 'f32':
    case 'f64':
      return guard(
        `${c}_${kind}[r] === 0`,
        `bits[0] = ${c}_${kind}[r] + 0; ${set('bitWords[0]', 'bitWords[1]', TAG_DOUBLE)}`,
      );
    default: {
      const array = kind === 'u8' ? 'u8' : kind === 'code' ? 'u16' : kind === 'i32' || kind === 'enum' ? 'i32' : 'u32';
      const high = array === 'i32' ? `${c}_i32[r] >> 31` : '0';
      return guard(`${c}_${array}[r] === 0`, set(`${c}_${array}[r]`, high, TAG_INTEGER));
    }
  }
}

function emitComputed(part: Expression, emit: EmitExpression, words: string, at: string): string {
  if (part.type === 'string' || part.type === 'bytes') return emitText(part, emit, words, at);
  const code = emit(part);
  const store =
    part.type === 'double'
      ? `bits[0] = v + 0; ${words}[${at}] = bitWords[0]; ${words}[${at} + 1] = bitWords[1]; ${words}[${at} + 3] = ${TAG_DOUBLE};`
      : `${words}[${at}] = v; ${words}[${at} + 1] = Math.floor(v / 4294967296); ${words}[${at} + 3] = ${TAG_INTEGER};`;
  const value = part.type === 'bool' ? `(${code.value} ? 1 : 0)` : code.value;
  const guarded = `const v = ${value}; if (v !== v) has = false; else { ${store} ${words}[${at} + 2] = 0; }`;
  return `{ ${code.setup.join(' ')} ${code.absent === null ? guarded : `if (${code.absent}) has = false; else { ${guarded} }`} }`;
}

function emitText(part: Expression, emit: EmitExpression, words: string, at: string): string {
  const { setup, heap, start, length, absent } = emit.text(part);
  const store = `hashBytes(${heap}, ${start}, ${length}, ${HASH_SEED}, ${words}, ${at});`;
  return `{ ${setup.join(' ')} ${absent === null ? store : `if (${absent}) has = false; else { ${store} }`} }`;
}

/** How a key's text becomes words: one function a part, by the part's type. */
export interface KeyTexts {
  /** UTF-8 of a text. */
  utf8(text: string): Uint8Array;
  /** Code, enum number or dictionary id of a label in a column, or -1. */
  label(column: number, text: string): number;
}

/** Words of the key whose parts are `texts`, or null where they cannot be a key of this entity. */
export function keyFromText(
  plan: Plan,
  entity: EntityPlan,
  texts: readonly string[],
  tools: KeyTexts,
): Int32Array | null {
  if (texts.length !== entity.key.length) return null;
  const key = new Int32Array(4);
  const part = new Int32Array(4);
  for (let i = 0; i < texts.length; i++) {
    const words = i === 0 ? key : part;
    if (!partFromText(plan, entity.key[i], texts[i], words, tools)) return null;
    if (i > 0) combineWords(key, 0, part, 0);
  }
  return key;
}

/** `event.player_id (UInt64)`, for people: what a look-up by key must give. */
export function keyExpectation(plan: Plan, entity: EntityPlan): string {
  const parts = entity.key.map((part, i) => {
    const type = part.node === 'column' ? columnAt(plan, part.column).clickhouseType : part.type;
    return `${entity.keyTexts[i]} (${type})`;
  });
  return parts.join(',');
}

function partFromText(plan: Plan, part: Expression, text: string, words: Int32Array, tools: KeyTexts): boolean {
  const kind = part.node === 'column' ? columnAt(plan, part.column).kind : part.type;
  if (kind === 'string' || kind === 'bytes') {
    const bytes = tools.utf8(text);
    hashBytes(bytes, 0, bytes.length, HASH_SEED, words, 0);
    return true;
  }
  if (kind === 'f32' || kind === 'f64' || kind === 'double') return doubleFromText(text, words);
  const labelled = part.node === 'column' && (kind === 'code' || kind === 'enum' || kind === 'dictionary');
  if (labelled) return integerFromText(String(tools.label(part.column, text)), INT32_RANGE, words);
  const isBool = kind === 'bool' || (kind === 'u8' && (text === 'true' || text === 'false'));
  return integerFromText(isBool ? String(Number(text === 'true')) : text, rangeOf(kind), words);
}

type Range = readonly [least: bigint, most: bigint];
const INT32_RANGE: Range = [-(2n ** 31n), 2n ** 31n - 1n];
const INT64_RANGE: Range = [-(2n ** 63n), 2n ** 63n - 1n];

/** A key beyond its field's type is no key: its low bits would be another one's. */
function rangeOf(kind: string): Range {
  switch (kind) {
    case 'u8':
    case 'bool':
      return [0n, 1n];
    case 'u32':
      return [0n, 2n ** 32n - 1n];
    case 'i32':
      return INT32_RANGE;
    case 'u64':
      return [0n, 2n ** 64n - 1n];
    default:
      return INT64_RANGE;
  }
}

function doubleFromText(text: string, words: Int32Array): boolean {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) return false;
  const bits = new Int32Array(new Float64Array([value + 0]).buffer);
  words.set([bits[0], bits[1], 0, TAG_DOUBLE]);
  return true;
}

/** All 64 bits of a decimal integer. */
function integerFromText(text: string, [least, most]: Range, words: Int32Array): boolean {
  if (!/^-?\d{1,20}$/.test(text)) return false;
  const value = BigInt(text);
  if (value < least || value > most) return false;
  words.set([Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)), 0, TAG_INTEGER]);
  return true;
}
