/**
 * JavaScript for one message: a function that reads its fields into the columns of a row. Sub-messages are functions of
 * their own. Used by decoder.ts.
 *
 * Serialisers write fields in the order of their numbers, so the code expects them in that order: field after field is one
 * comparison that is nearly always right, and no jump through a table. What comes out of order starts the round again; what
 * a whole round does not know is unknown. Members of a oneof are one `switch`: only one of them comes, and which is data.
 */

import { fail } from '../base/fail.ts';
import { EVENT_LIST_TOO_LONG, EVENT_MALFORMED } from '../base/outcomes.ts';
import { BLOCK_ROWS_MAX, LIST_ELEMENTS_MAX, NESTING_MAX } from '../layout/limits.ts';
import type { FieldPlan, MessagePlan } from '../plan/plan.ts';
import { emitClearMember } from './emit-clear.ts';
import { emitUnknown, type Emission } from './emission.ts';
import { emitMapEntry } from './emit-map.ts';
import { checkNumber, emitRead, emitStore, isPackable, LENGTH, wireOf, type ValueType } from './emit-value.ts';
import { WIRE_BYTES } from './wire.ts';

const MALFORMED = `return ${EVENT_MALFORMED};`;

/** Steps of the round beyond this many are taken together as one `switch`. */
const STEPS_MAX = 24;

const LOCALS =
  'let p = at, start = at, round = at, tag = 0, v = 0, b = 0, n = 0, r = 0, q = 0, lo = 0, hi = 0, stop = 0, f = 0;';

/** Reads the next tag, or leaves the message. */
const NEXT = `if (p >= end) break fields;
start = p; tag = bytes[p]; p = (p + 1) | 0;`;
/** Where a longer tag is among those that may follow; elsewhere it ends the round, and the next one reads it. */
const LONG_TAG = `if (tag > 127) {
  b = bytes[p]; p = (p + 1) | 0;
  if (b < 128) tag = (tag & 127) | (b << 7);
  else { p = readTag(bytes, start); if (p < 0) ${MALFORMED} tag = W[0]; }
}`;

interface Case {
  readonly tag: number;
  readonly body: string;
  readonly repeated: boolean;
  /** Members of one oneof share a switch; -1: not in one. */
  readonly group: number;
}

/** The function's name. `before` and `after` go around the loop; the root of the tree has them. */
export function emitMessage(
  e: Emission,
  message: MessagePlan,
  depth: number,
  name: string,
  before = '',
  after = '',
): void {
  if (depth > NESTING_MAX) fail('message_nesting', depth);
  const fields = [...message.fields].sort((a, b) => a.number - b.number);
  const oneofs = declareOneofs(e, fields);
  const cases = fields.flatMap((field) => emitCases(e, field, depth, oneofs));
  e.functions.push(`function ${name}(bytes, view, at, end, row) {
${before}
row &= ${BLOCK_ROWS_MAX - 1};
${LOCALS}
${emitPresence(e, fields)}
fields: while (p < end) {
round = start = p; tag = bytes[p]; p = (p + 1) | 0;
${LONG_TAG}
${emitRound(cases)}
if (start === round) {
${emitUnknown(e)}
  p = skipField(bytes, p, end, tag, ${depth});
  if (p < 0) return p;
} else p = start;
}
if (p !== end) ${MALFORMED}
${after}
return 0;
}`);
  emitOneofs(e, fields, oneofs);
}

/** Fields without presence of their own are 0 or '' where their message is there, not NULL. */
function emitPresence(e: Emission, fields: readonly FieldPlan[]): string {
  return fields
    .filter((field) => field.implicit === true && field.column >= 0 && e.plan.columns[field.column].nullable)
    .map((field) => `c${field.column}_nulls[row] = 0; k${field.column}.touched = true;`)
    .join('\n');
}

function emitRound(cases: readonly Case[]): string {
  const groups: Case[][] = [];
  for (const one of cases) {
    const last = groups.at(-1);
    const joins = last !== undefined && ((one.group >= 0 && last[0].group === one.group) || groups.length >= STEPS_MAX);
    if (joins) last.push(one);
    else groups.push([one]);
  }
  return groups
    .map((group, i) => {
      const from = group.length === 1 && !group[0].repeated ? i + 1 : i;
      const next = groups.slice(from).some((later) => later.some((one) => one.tag > 127))
        ? `${NEXT}\n${LONG_TAG}`
        : NEXT;
      return group.length === 1 ? emitStep(group[0], next) : emitSwitch(group, next);
    })
    .join('\n');
}

function emitStep(one: Case, next: string): string {
  return `${one.repeated ? 'while' : 'if'} (tag === ${one.tag}) {\n${one.body}\n${next}\n}`;
}

function emitSwitch(group: readonly Case[], next: string): string {
  const cases = group.map((one) => `case ${one.tag}: {\n${one.body}\n${next}\nbreak;\n}`);
  return `switch (tag) {\n${cases.join('\n')}\n}`;
}

interface Oneof {
  readonly word: number;
  readonly clear: string;
}

/** Words and clearing functions of the plain oneofs of a message, by their number; the type oneof has -1. */
function declareOneofs(e: Emission, fields: readonly FieldPlan[]): Map<number, Oneof> {
  const oneofs = new Map<number, Oneof>();
  for (const field of fields) {
    const number = field.branch > 0 ? -1 : field.oneof;
    if ((field.branch <= 0 && field.oneof < 0) || oneofs.has(number)) continue;
    oneofs.set(number, { word: e.oneofWords, clear: `clearOneof${e.oneofWords}` });
    e.oneofWords += 2;
  }
  return oneofs;
}

/** Clearing functions come after the message's own, when every timestamp below it has its slot. */
function emitOneofs(e: Emission, fields: readonly FieldPlan[], oneofs: ReadonlyMap<number, Oneof>): void {
  for (const [number, oneof] of oneofs) {
    const members = fields
      .filter((field) => (number === -1 ? field.branch > 0 : field.branch <= 0 && field.oneof === number))
      .map((field) => [number === -1 ? field.branch : field.number, field] as const);
    e.functions.push(emitClearMember(e, oneof.clear, members));
  }
}

/** What setting a member does to the others: the last one wins. */
function emitMember(e: Emission, field: FieldPlan, oneofs: ReadonlyMap<number, Oneof>): string {
  const type = e.plan.system.type;
  if (field.branch > 0) {
    const { clear } = oneofs.get(-1)!;
    if (type < 0) return emitMemberWord(oneofs.get(-1)!, field.branch);
    return `b = c${type}_u16[row];
if (b !== ${field.branch}) { if (b !== 0) ${clear}(b, row); c${type}_u16[row] = ${field.branch}; k${type}.touched = true; }`;
  }
  return field.oneof < 0 ? '' : emitMemberWord(oneofs.get(field.oneof)!, field.number);
}

/**
 * The words may hold an earlier event's member. Clearing it is harmless, because those columns have their defaults already.
 */
function emitMemberWord({ word, clear }: Oneof, member: number): string {
  return `if (O[${word}] !== row) O[${word}] = row;
else if (O[${word + 1}] !== ${member}) ${clear}(O[${word + 1}], row);
O[${word + 1}] = ${member};`;
}

function emitCases(e: Emission, field: FieldPlan, depth: number, oneofs: ReadonlyMap<number, Oneof>): Case[] {
  checkNumber(field.number);
  const group = field.branch > 0 ? 0 : field.oneof < 0 ? -1 : field.oneof + 1;
  const tagOf = (wire: number): number => (field.number << 3) | wire;
  const member = emitMember(e, field, oneofs);
  if (field.type === 'message') {
    return [{ tag: tagOf(WIRE_BYTES), body: `${member}\n${emitSubMessage(e, field, depth)}`, repeated: false, group }];
  }
  if (field.type === 'map')
    return [{ tag: tagOf(WIRE_BYTES), body: emitMapEntry(e, field, depth), repeated: true, group }];
  const type: ValueType = field.type;
  if (field.repeated) {
    const one = { tag: tagOf(wireOf(type)), body: emitElement(e, field, type, depth), repeated: true, group };
    if (!isPackable(type)) return [one];
    return [{ tag: tagOf(WIRE_BYTES), body: emitPacked(e, field, type, depth), repeated: false, group }, one];
  }
  return [
    { tag: tagOf(wireOf(type)), body: `${member}\n${emitScalar(e, field, type, depth)}`, repeated: false, group },
  ];
}

function emitSubMessage(e: Emission, field: FieldPlan, depth: number): string {
  if (field.repeated) throw new Error(`a repeated message has no columns: field=${field.name}`);
  const name = `message${++e.functionCount}`;
  emitMessage(e, field.message!, depth + 1, name);
  return `${LENGTH}
r = ${name}(bytes, view, p, p + n, row);
if (r < 0) return r;
p = (p + n) | 0;`;
}

/** `touched` comes first: a value that is refused halfway must be cleared. */
function emitScalar(e: Emission, field: FieldPlan, type: ValueType, depth: number): string {
  const column = e.plan.columns[field.column];
  let slot = 0;
  if (type === 'timestamp') {
    slot = 1 + 3 * e.timeSlots.size;
    e.timeSlots.set(field, slot);
  }
  // The event's own time is never NULL: that it came is known by its slot.
  const marked = field.column === e.plan.system.eventTime && field.implicit !== true && type !== 'timestamp';
  if (marked) {
    slot = 1 + 3 * e.timeSlots.size;
    e.timeSlots.set(field, slot);
  }
  const nulls = `${column.nullable ? `c${column.index}_nulls[row] = 0;` : ''}${marked ? ` S[${slot}] = S[0];` : ''}`;
  return `k${column.index}.touched = true; ${nulls}
${emitRead(type, depth, slot).code}
${emitStore(type, column.kind, `${column.index}`, 'row', false)}`;
}

function emitElement(e: Emission, field: FieldPlan, type: ValueType, depth: number): string {
  const { index, kind } = e.plan.columns[field.column];
  return `if (c${index}_counts[row] >= ${LIST_ELEMENTS_MAX}) return ${EVENT_LIST_TOO_LONG};
k${index}.touched = true; k${index}e.touched = true;
q = k${index}.elementEnd;
${emitRead(type, depth, 0).code}
${emitStore(type, kind, `${index}e`, 'q', true)}
k${index}.elementEnd = q + 1; c${index}_counts[row]++;`;
}

function emitPacked(e: Emission, field: FieldPlan, type: ValueType, depth: number): string {
  const { index, kind } = e.plan.columns[field.column];
  return `${LENGTH}
stop = p + n; q = k${index}.elementEnd;
k${index}.touched = true; k${index}e.touched = true;
while (p < stop) {
${emitRead(type, depth, 0).code}
${emitStore(type, kind, `${index}e`, 'q', true)}
q++;
}
if (p !== stop) ${MALFORMED}
n = c${index}_counts[row] + q - k${index}.elementEnd;
if (n > ${LIST_ELEMENTS_MAX}) return ${EVENT_LIST_TOO_LONG};
c${index}_counts[row] = n; k${index}.elementEnd = q;`;
}
