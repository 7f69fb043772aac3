/**
 * Compiles a pipeline's message into a decoder that reads serialised events straight into the columns of a block: no objects
 * in between, no loop over a table of fields. Made once per worker and pipeline; the emitted code allocates nothing.
 *
 * Agrees with protobufjs (the oracle in the tests) on every input in value or in refusal. Differences are refusals: strings
 * above STRING_BYTES_MAX, lists above LIST_ELEMENTS_MAX, nesting above NESTING_MAX, timestamps outside of the years 1 to
 * 9999.
 */

import { EVENT_MALFORMED } from '../base/outcomes.ts';
import type { Column } from '../layout/column.ts';
import type { DictionaryIntern } from '../layout/dictionary-intern.ts';
import { FRAME_BYTES_MAX } from '../layout/limits.ts';
import type { FieldPlan, Plan } from '../plan/plan.ts';
import { clearElements, clearText, createTextColumn, pushText, putText, readTimestamp } from './decoder-runtime.ts';
import { createDictionaryCache, internText } from './dictionary-cache.ts';
import { createEmission, timeSlotsEnd, type Emission } from './emission.ts';
import { emitClearFields, messageFields } from './emit-clear.ts';
import { emitMessage } from './emit-message.ts';
import { dropRepeatedKeys } from './map-entries.ts';
import { isUtf8 } from './utf8.ts';
import { READ_MARGIN, readLength, readLong, readTag, readWords, skipField } from './wire.ts';

export interface Decoder {
  /**
   * Reads the event bytes[at, end) into `row`, whose columns must be preset. Returns 0 or an EVENT_* outcome; what has been
   * written by then stays until `clearRow`. `view` covers the same bytes as `bytes`.
   */
  decodeEvent(bytes: Uint8Array, view: DataView, at: number, end: number, row: number): number;
  /** Restores the presets of `row`, which must be the last row written. */
  clearRow(row: number): void;
  /**
   * Whether the event that was read last brought its time: 1970 is a time like any other. Without presence of its own 0 is
   * none.
   */
  hasTime(): boolean;
  /** Fields skipped so far. */
  unknownFields: number;
}

const runtime = {
  W: readWords,
  readLong,
  readTag,
  readLength,
  skipField,
  isUtf8,
  putText,
  pushText,
  clearText,
  clearElements,
  readTimestamp,
  internText,
  dropRepeatedKeys,
  createTextColumn,
  createDictionaryCache,
};

export function compileDecoder(plan: Plan, columns: readonly Column[], dictionary: DictionaryIntern): Decoder {
  const make = new Function('columns', 'dictionary', 'runtime', emitDecoder(plan)) as (
    columns: readonly Column[],
    dictionary: DictionaryIntern,
    runtime: unknown,
  ) => Decoder;
  return make(columns, dictionary, runtime);
}

/** The decoder's source; `hunt check` and tests may print it. */
export function emitDecoder(plan: Plan): string {
  const e = createEmission(plan);
  const finish = '/*maps*/';
  emitMessage(e, plan.message, 0, 'decodeEvent', emitBegin(), finish);
  const fields = messageFields(plan.message);
  const clear = emitClearFields(e, fields);
  const type = plan.system.type;
  const time = [...e.timeSlots].find(([field]) => field.column === plan.system.eventTime)?.[1];
  const body = `${e.functions.join('\n\n').replace(finish, emitMapsEnd(e, fields))}

function clearRow(row) {
${clear}
${type < 0 ? '' : `c${type}_u16[row] = 0;`}
}

function hasTime() {
return ${time === undefined ? 'false' : `S[${time}] === S[0]`};
}`;
  return `'use strict';
const { ${Object.keys(runtime).join(', ')} } = runtime;
const O = new Int32Array(${Math.max(e.oneofWords, 1)}).fill(-1);
const S = new Float64Array(${timeSlotsEnd(e)});
let repeatedKeys = false;
const nearEnd = new Uint8Array(${FRAME_BYTES_MAX + READ_MARGIN});
const nearEndView = new DataView(nearEnd.buffer);
${emitBindings(body)}
const self = { decodeEvent, clearRow, hasTime, unknownFields: 0 };
${body}
return self;`;
}

/** Reading may go beyond the event's end, never beyond the buffer's: an event that ends there is read from a copy. */
function emitBegin(): string {
  return `if (end + ${READ_MARGIN} > bytes.length) {
  const size = end - at;
  if (size > ${FRAME_BYTES_MAX}) return ${EVENT_MALFORMED};
  for (let i = 0; i < size; i++) nearEnd[i] = bytes[at + i];
  return decodeEvent(nearEnd, nearEndView, 0, size, row);
}
S[0]++;`;
}

function emitMapsEnd(e: Emission, fields: readonly FieldPlan[]): string {
  if (!e.maps) return '';
  const maps = fields.filter((field) => field.type === 'map');
  return `if (repeatedKeys) {
repeatedKeys = false;
${maps.map((field) => `dropRepeatedKeys(k${field.column}, row);`).join('\n')}
}`;
}

/** Constants for the columns, arrays, heaps and caches that the code names. */
function emitBindings(code: string): string {
  const lines = new Set<string>();
  for (const [, letter, index, part, array] of code.matchAll(/\b([ktdc])(\d+)([ek]?)(?:_([a-z0-9]+))?\b/g)) {
    const column = `columns[${index}]${part === 'e' ? '.elements' : part === 'k' ? '.keys' : ''}`;
    const name = `${letter}${index}${part}`;
    if (letter === 'c') lines.add(`const ${name}_${array} = ${column}.${array};`);
    else if (letter === 'k') lines.add(`const ${name} = ${column};`);
    else if (letter === 't') lines.add(`const ${name} = createTextColumn(${column});`);
    else lines.add(`const ${name} = createDictionaryCache();`);
  }
  return [...lines].sort().join('\n');
}
