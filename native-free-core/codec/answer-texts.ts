/**
 * The parts of answers that are the same every time, as bytes: rejections by outcome, names of decisions and actions.
 * Made when this module loads, and once per plan; used by answer.ts.
 */

import { outcomeText } from '../base/outcomes.ts';
import { answeredDecisions, type Plan } from '../layout/plan.ts';
import { utf8Bytes, writeUtf8 } from './utf8.ts';
import { writeVarint } from './wire-write.ts';

/** Outcomes lie between -1 and this. */
const OUTCOME_LEAST = -64;

export function utf8Of(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Bytes(text));
  writeUtf8(bytes, 0, text);
  return bytes;
}

function rejectionFields(outcome: number): Uint8Array {
  const { code, text } = outcomeText(outcome);
  const out = new Uint8Array(8 + utf8Bytes(code) + utf8Bytes(text));
  out[0] = 0x12;
  let p = writeUtf8(out, writeVarint(out, 1, utf8Bytes(code)), code);
  out[p] = 0x1a;
  p = writeUtf8(out, writeVarint(out, p + 1, utf8Bytes(text)), text);
  return out.slice(0, p);
}

function rejectionJson(outcome: number): Uint8Array {
  const { code, text } = outcomeText(outcome);
  return utf8Of(`,"code":${JSON.stringify(code)},"text":${JSON.stringify(text)}}`);
}

const outcomes = Array.from({ length: -OUTCOME_LEAST }, (_, i) => -i);

/** By -outcome: fields 2 and 3 of a Rejection; and what follows the index in JSON. */
export const REJECTION_FIELDS: readonly Uint8Array[] = outcomes.map(rejectionFields);
export const REJECTION_JSON: readonly Uint8Array[] = outcomes.map(rejectionJson);

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
