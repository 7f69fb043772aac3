/**
 * Parts of answers as bytes. What is the same every time is made when this module loads, or once per plan: rejections by
 * outcome, names of decisions and actions; what a rejection or a warning says in particular, when it is needed. Used by
 * answer.ts and decide/.
 */

import { outcomeText } from '../base/outcomes.ts';
import { answeredDecisions, type Plan } from '../plan/plan.ts';
import { beginBlock, createByteWriter, endBlock, putTag, appendText, putVarint } from './byte-writer.ts';
import type { RejectionDetail } from './rejection.ts';
import { unknownText, type UnknownFields } from './unknown-fields.ts';
import { utf8Bytes, writeUtf8 } from './utf8.ts';
import { WIRE_BYTES, WIRE_VARINT } from './wire.ts';

/** Outcomes lie between -1 and this. */
const OUTCOME_LEAST = -64;

export function utf8Of(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Bytes(text));
  writeUtf8(bytes, 0, text);
  return bytes;
}

/** Fields 2 to 5 of a Rejection. */
export function rejectionFieldsOf(outcome: number, { field, value, text }: RejectionDetail): Uint8Array {
  const w = createByteWriter(64 + 4 * (field.length + value.length + text.length));
  const texts = ['', '', outcomeText(outcome).code, text, field, value];
  for (let number = 2; number < texts.length; number++) {
    if (texts[number] === '') continue;
    putTag(w, number, WIRE_BYTES);
    appendText(w, texts[number]);
  }
  return w.bytes.slice(0, w.end);
}

/** What follows a rejection's index in JSON. */
export function rejectionJsonOf(outcome: number, { field, value, text }: RejectionDetail): Uint8Array {
  const { code } = outcomeText(outcome);
  const rest = { code, text, ...(field === '' ? {} : { field }), ...(value === '' ? {} : { value }) };
  return utf8Of(`,${JSON.stringify(rest).slice(1)}`);
}

function withoutDetail(outcome: number): RejectionDetail {
  return { field: '', value: '', text: outcomeText(outcome).text };
}

interface Warning {
  readonly code: string;
  readonly field: string;
  readonly count: number;
  readonly text: string;
}

/** One for each name, and one for what is beyond them. */
function warningsOf({ count, names }: UnknownFields): Warning[] {
  const code = 'unknown_field';
  let rest = count;
  const warnings = [...names].map(([field, { count: times, meant }]): Warning => {
    rest -= times;
    return { code, field, count: times, text: unknownText(field, meant) };
  });
  if (rest > 0) warnings.push({ code, field: '', count: rest, text: 'fields that are not named here' });
  return warnings;
}

/** Fields 7 of an Answer: Warning { string code = 1; string field = 2; uint32 count = 3; string text = 4 }. */
export function warningFields(unknown: UnknownFields): Uint8Array {
  const w = createByteWriter(1024);
  for (const { code, field, count, text } of warningsOf(unknown)) {
    const begin = beginBlock(w, 7);
    putTag(w, 1, WIRE_BYTES);
    appendText(w, code);
    if (field !== '') {
      putTag(w, 2, WIRE_BYTES);
      appendText(w, field);
    }
    putTag(w, 3, WIRE_VARINT);
    putVarint(w, count);
    putTag(w, 4, WIRE_BYTES);
    appendText(w, text);
    endBlock(w, begin);
  }
  return w.bytes.slice(0, w.end);
}

/** What stands before an answer's last brace in JSON. */
export function warningJson(unknown: UnknownFields): Uint8Array {
  return utf8Of(`,"warnings":${JSON.stringify(warningsOf(unknown))}`);
}

const outcomes = Array.from({ length: -OUTCOME_LEAST }, (_, i) => -i);

/** By -outcome: fields 2 and 3 of a Rejection; and what follows the index in JSON. */
export const REJECTION_FIELDS: readonly Uint8Array[] = outcomes.map((outcome) =>
  rejectionFieldsOf(outcome, withoutDetail(outcome)),
);
export const REJECTION_JSON: readonly Uint8Array[] = outcomes.map((outcome) =>
  rejectionJsonOf(outcome, withoutDetail(outcome)),
);

function longest(parts: readonly Uint8Array[]): number {
  return parts.reduce((most, part) => Math.max(most, part.length), 0);
}

export const REJECTION_FIELDS_BYTES_MAX = longest(REJECTION_FIELDS);
export const REJECTION_JSON_BYTES_MAX = longest(REJECTION_JSON);

/** `labels[decision][code]`: `{"name":"action"` or `,"name":"action"`; code 0 is null. */
export interface AnswerLabels {
  readonly labels: readonly (readonly Uint8Array[])[];
  /** Longest object of one event, braces and comma included. */
  readonly eventBytesMax: number;
  /** Longest varint of an action's code. */
  readonly codeBytesMax: number;
}

const labelsOfPlan = new WeakMap<Plan, AnswerLabels>();

export function answerLabels(plan: Plan): AnswerLabels {
  let labels = labelsOfPlan.get(plan);
  if (labels === undefined) labelsOfPlan.set(plan, (labels = makeLabels(plan)));
  return labels;
}

function makeLabels(plan: Plan): AnswerLabels {
  const decisions = answeredDecisions(plan);
  const labels = decisions.map(({ name, actions }, i) =>
    ['null', ...actions.map((action) => JSON.stringify(action))].map((action) =>
      utf8Of(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:${action}`),
    ),
  );
  const bytes = labels.reduce((sum, one) => sum + longest(one), 0);
  const codes = decisions.reduce((most, decision) => Math.max(most, decision.actions.length), 0);
  return { labels, eventBytesMax: Math.max(bytes, 4) + 3, codeBytesMax: codes < 128 ? 1 : codes < 16384 ? 2 : 3 };
}
