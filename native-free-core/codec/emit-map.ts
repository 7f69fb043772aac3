/**
 * JavaScript for the entries of a map field: each is a little message of key = 1 and value = 2, either of which may be
 * missing or come twice. Used by emit-message.ts.
 */

import { EVENT_INVALID_UTF8, EVENT_LIST_TOO_LONG, EVENT_MALFORMED } from '../base/outcomes.ts';
import { LIST_ELEMENTS_MAX } from '../layout/limits.ts';
import type { FieldPlan } from '../plan/plan.ts';
import { emitUnknown, type Emission } from './emission.ts';
import { emitRead, emitStore, LENGTH, type ValueType } from './emit-value.ts';

const KEY_TAG = 0x0a;

/** Emits the entry's function and returns the code that calls it. */
export function emitMapEntry(e: Emission, field: FieldPlan, depth: number): string {
  const { index, kind } = e.plan.columns[field.column];
  const type: ValueType = field.mapValue ?? 'string';
  const name = `entry${++e.functionCount}`;
  e.maps = true;
  e.functions.push(`function ${name}(bytes, view, at, end, row) {
if (c${index}_counts[row] >= ${LIST_ELEMENTS_MAX}) return ${EVENT_LIST_TOO_LONG};
let p = at, tag = 0, v = 0, b = 0, n = 0, r = 0, lo = 0, hi = 0, f = 0, keyAt = at, keyBytes = 0, valueAt = at, valueBytes = 0;
while (p < end) {
  tag = bytes[p]; p = (p + 1) | 0;
  if (tag > 127) { p = readTag(bytes, p - 1); if (p < 0) return ${EVENT_MALFORMED}; tag = W[0]; }
  if (tag === ${KEY_TAG}) {
    ${emitRead('string', depth, 0).code}
    if (!isUtf8(bytes, p, n)) return ${EVENT_INVALID_UTF8};
    keyAt = p; keyBytes = n; p = (p + n) | 0;
  } else if (tag === ${(2 << 3) | emitRead(type, depth, 0).wire}) {
    ${emitRead(type, depth, 0).code}
    ${emitHold(type)}
  } else {
    ${emitUnknown(e)}
    p = skipField(bytes, p, end, tag, ${depth + 1});
    if (p < 0) return p;
  }
}
if (p !== end) return ${EVENT_MALFORMED};
const q = k${index}.elementEnd;
k${index}.touched = true; k${index}e.touched = true; k${index}k.touched = true;
pushText(t${index}k, bytes, view, keyAt, keyBytes, q, false);
${isText(type) ? 'p = valueAt; n = valueBytes;' : ''}
${emitStore(type, kind, `${index}e`, 'q', true)}
k${index}.elementEnd = q + 1;
if (++c${index}_counts[row] > 1) repeatedKeys = true;
return 0;
}`);
  return `${LENGTH}
r = ${name}(bytes, view, p, p + n, row);
if (r < 0) return r;
p = (p + n) | 0;`;
}

function isText(type: ValueType): boolean {
  return type === 'string' || type === 'bytes';
}

/** Text is stored only once the whole entry has been read; a string that another one replaces must be UTF-8 all the same. */
function emitHold(type: ValueType): string {
  if (!isText(type)) return '';
  const check = type === 'string' ? `if (!isUtf8(bytes, p, n)) return ${EVENT_INVALID_UTF8}; ` : '';
  return `${check}valueAt = p; valueBytes = n; p = (p + n) | 0;`;
}
