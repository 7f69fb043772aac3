/**
 * Entity keys as four Int32 words. Compiled per entity into a loop over the rows of a block: integers are their own words,
 * strings are hashed, composite keys are folded together (language/kinds/key-of-value.ts). `keyFromText` makes the
 * same words for a look-up.
 */

import { KEY_TAG_INTEGER } from '../state/key-list.ts';
import { hashBytes, combineWords } from '../base/hash.ts';
import { WORD } from '../base/words.ts';
import type { Column } from '../layout/column.ts';
import { KINDS } from '../language/kinds/index.ts';
import {
  INT32_RANGE,
  INT64_RANGE,
  KEY_HASH_SEED,
  KEY_TAG_DOUBLE,
  type KeyRange,
  type KeyText,
} from '../language/kinds/key-of-value.ts';
import {
  columnAt,
  slotOf,
  VIEWS_FROM,
  type EntityPlan,
  type Expression,
  type ExpressionType,
  type Plan,
} from '../plan/plan.ts';
import { bindColumns, type EmitExpression } from './bind-columns.ts';

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
  const { key } = KINDS[kind];
  const c = `c${slotOf(plan, index)}`;
  const elsewhere = index < VIEWS_FROM ? '' : `c${plan.system.type}_u16[r] !== ${branch} || `;
  const isNone = nullable ? `${elsewhere}${c}_nulls[r] !== 0` : key.isZero(c);
  return `if (${isNone}) has = false; else { ${key.store(c, words, at)} }`;
}

function emitComputed(part: Expression, emit: EmitExpression, words: string, at: string): string {
  if (part.type === 'string' || part.type === 'bytes') return emitText(part, emit, words, at);
  const code = emit(part);
  const store =
    part.type === 'double'
      ? `bits[0] = v + 0; ${words}[${at}] = bitWords[0]; ${words}[${at} + 1] = bitWords[1]; ${words}[${at} + 3] = ${KEY_TAG_DOUBLE};`
      : `${words}[${at}] = v; ${words}[${at} + 1] = Math.floor(v / ${WORD}); ${words}[${at} + 3] = ${KEY_TAG_INTEGER};`;
  const value = part.type === 'bool' ? `(${code.value} ? 1 : 0)` : code.value;
  const guarded = `const v = ${value}; if (v !== v) has = false; else { ${store} ${words}[${at} + 2] = 0; }`;
  return `{ ${code.setup.join(' ')} ${code.absent === null ? guarded : `if (${code.absent}) has = false; else { ${guarded} }`} }`;
}

function emitText(part: Expression, emit: EmitExpression, words: string, at: string): string {
  const { setup, heap, start, length, absent } = emit.text(part);
  const store = `hashBytes(${heap}, ${start}, ${length}, ${KEY_HASH_SEED}, ${words}, ${at});`;
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
  const how = part.node === 'column' ? KINDS[columnAt(plan, part.column).kind].key.fromText : COMPUTED_TEXTS[part.type];
  switch (how.form) {
    case 'text': {
      const bytes = tools.utf8(text);
      hashBytes(bytes, 0, bytes.length, KEY_HASH_SEED, words, 0);
      return true;
    }
    case 'double':
      return doubleFromText(text, words);
    case 'label':
      return part.node === 'column' && integerFromText(String(tools.label(part.column, text)), INT32_RANGE, words);
    case 'integer': {
      const isWord = how.takesWords && (text === 'true' || text === 'false');
      return integerFromText(isWord ? String(Number(text === 'true')) : text, how.range, words);
    }
  }
}

/** Of a part of a key that is no column's own value. */
const COMPUTED_TEXTS: Readonly<Record<ExpressionType, KeyText>> = {
  bool: { form: 'integer', range: [0n, 1n], takesWords: true },
  int: { form: 'integer', range: INT64_RANGE, takesWords: false },
  time: { form: 'integer', range: INT64_RANGE, takesWords: false },
  double: { form: 'double' },
  string: { form: 'text' },
  bytes: { form: 'text' },
};

function doubleFromText(text: string, words: Int32Array): boolean {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) return false;
  const bits = new Int32Array(new Float64Array([value + 0]).buffer);
  words.set([bits[0], bits[1], 0, KEY_TAG_DOUBLE]);
  return true;
}

/** All 64 bits of a decimal integer. */
function integerFromText(text: string, [least, most]: KeyRange, words: Int32Array): boolean {
  if (!/^-?\d{1,20}$/.test(text)) return false;
  const value = BigInt(text);
  if (value < least || value > most) return false;
  words.set([Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)), 0, KEY_TAG_INTEGER]);
  return true;
}
