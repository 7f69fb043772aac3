/**
 * Reads entities for those who ask: the features of one key, as of its last event or as of now. What was asked while a block
 * was filled is answered behind the block, so that an answer shows nothing that a crash can still remove. Called by run.ts
 * and seal-block.ts.
 */

import { KINDS } from '../language/kinds/index.ts';
import { keyExpectation, keyFromText } from '../features/entity-keys.ts';
import {
  ANSWER_BODY_AT,
  ENTITY_BAD_KEY,
  ENTITY_FOUND,
  ENTITY_NONE,
  ENTITY_UNSEEN,
  writeAnswerHeader,
} from '../layout/answer-record.ts';
import { ENTITY_KEY_AT, readEntityRead } from '../layout/entity-read-record.ts';
import { RECORD_ENTITY_ANSWER } from '../layout/record-kinds.ts';
import { commit, type Lane } from '../ring/lane.ts';
import { findEntry } from '../state/dictionary.ts';
import type { Decider, PendingRead } from './decider.ts';
import { timeNow } from './epoch.ts';
import { reserveWaiting } from './reserve-waiting.ts';

/** ENTITY_*, and the body that belongs to it. */
interface EntityAnswer {
  readonly status: number;
  readonly body: string;
}

/** `end`: of the ENTITY_READ record. */
export function pendingRead(d: Decider, lane: Lane, ingress: number, at: number, end: number): PendingRead {
  return { ...readEntityRead(lane, at), ingress, key: d.input.textOf(lane.bytes, at + ENTITY_KEY_AT, end) };
}

export function writeEntityAnswers(d: Decider, epochLow: number): void {
  for (const read of d.connections.reads.splice(0)) {
    const { status, body } = readEntity(d, read);
    const bytes = d.input.utf8(body);
    const lane = d.input.durableLanes[read.ingress];
    const at = reserveWaiting(d, lane, RECORD_ENTITY_ANSWER, ANSWER_BODY_AT + bytes.length);
    writeAnswerHeader(lane.view, at, read, epochLow, status);
    lane.bytes.set(bytes, at + ANSWER_BODY_AT);
    commit(lane);
  }
}

function readEntity(d: Decider, read: PendingRead): EntityAnswer {
  const { plan, utf8, control, now, monotonic } = d.input;
  const entity = plan.entities[read.entity];
  if (entity === undefined) return { status: ENTITY_NONE, body: '' };
  const texts = read.key.split(',').map(decodeText);
  const key = keyFromText(plan, entity, texts, { utf8, label: (column, text) => labelOf(d, column, text) });
  if (!key) return { status: ENTITY_BAD_KEY, body: keyExpectation(plan, entity) };
  const state = d.loops.readers[read.entity](key, read.atNow ? timeNow(control, now(), monotonic()) : 0);
  if (state === null) return { status: ENTITY_UNSEEN, body: '' };
  const body = { entity: entity.name, key: texts.length === 1 ? texts[0] : texts, ...state };
  return { status: ENTITY_FOUND, body: JSON.stringify(body) };
}

/** Text that is not percent-encoded stands for itself. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function labelOf(d: Decider, column: number, text: string): number {
  const plan = d.input.plan.columns[column];
  const names = KINDS[plan.kind].names(plan);
  if (names !== null) return names.find(([, name]) => name === text)?.[0] ?? -1;
  const bytes = d.input.utf8(text);
  return findEntry(d.input.tables.dictionary, bytes, 0, bytes.length);
}
