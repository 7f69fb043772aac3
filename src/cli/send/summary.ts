/** What became of the rows of a file. Filled by send-file.ts, printed by cli/send.ts. */

import { enter, lookup } from '../../../native-free-core/base/lookup.ts';
import type { ClientAnswer } from '../../client/index.ts';
import type { FileFrame } from './framing.ts';
import { refusedRows, type RefusedRow } from './refused-rows.ts';

export interface SendSummary {
  readonly file: string;
  readonly producer: string;
  /** Rows of the file that were read. */
  rows: number;
  /** Events that this run added. */
  accepted: number;
  /** Events that the server had before: from an earlier run, or by their id. */
  duplicates: number;
  /** Rows of frames that an earlier run had sent, and that were not sent again. */
  skipped: number;
  /** Events that were refused, by code, in this run or when their frame came first; they are in dead_letters. */
  readonly rejected: Record<string, number>;
  /** Of these the first, in words. */
  readonly refusals: string[];
  /** Fields that the pipeline's message does not have, by their path. */
  readonly warnings: Record<string, { count: number; text: string }>;
  frames: number;
  /** Frames that the server asked for again, and connections that were lost. */
  retries: number;
  reconnects: number;
  /** Rows that no answer speaks for; the run is not complete. */
  unanswered: number;
  /** What an operator should look at, at most so many. */
  readonly problems: string[];
  seconds: number;
  rows_per_second: number;
}

const PROBLEMS_MAX = 20;
const REFUSALS_MAX = 10;
const WARNINGS_MAX = 50;

export function emptySummary(file: string, producer: string): SendSummary {
  const counts = {
    rows: 0,
    accepted: 0,
    duplicates: 0,
    skipped: 0,
    rejected: {},
    frames: 0,
    retries: 0,
    reconnects: 0,
    unanswered: 0,
  };
  const told = { refusals: [], warnings: {}, problems: [] };
  return { file, producer, ...counts, ...told, seconds: 0, rows_per_second: 0 };
}

export function addProblem(summary: SendSummary, problem: string): void {
  if (summary.problems.length < PROBLEMS_MAX) summary.problems.push(problem);
}

export function addAnswer(summary: SendSummary, frame: FileFrame, answer: ClientAnswer): void {
  const count = frame.texts.length;
  if (answer.status === 'REJECTED') {
    const { code, text } = answer.rejections[0] ?? { code: 'rejected', text: 'the frame was refused' };
    summary.unanswered += count;
    addProblem(
      summary,
      `rows ${frame.firstRow + 1}-${frame.rows.at(-1)! + 1} were refused as one frame: seq=${frame.seq} code=${code}: ${text}`,
    );
    return;
  }
  // Another file, or more rows than then, under the same name and number: the new ones have not been taken.
  if (answer.status === 'DUPLICATE' && answer.events !== count) {
    summary.unanswered += count;
    const advice = 'the file or --events-per-frame has changed since; send it under another --producer';
    addProblem(
      summary,
      `rows ${frame.firstRow + 1}-${frame.rows.at(-1)! + 1}: frame ${frame.seq} had ${answer.events} events when it was sent before, now ${count}; ${advice}`,
    );
    return;
  }
  const rejected = addRefusals(summary, refusedRows(frame, answer));
  addWarnings(summary, answer);
  const { length: refused } = answer.rejections;
  const isAgain = answer.status === 'DUPLICATE';
  summary.duplicates += isAgain ? count - rejected : refused - rejected;
  if (!isAgain) summary.accepted += count - refused;
}

/** Returns how many were rejected; the others were duplicates by their id. */
function addRefusals(summary: SendSummary, rows: readonly RefusedRow[]): number {
  let rejected = 0;
  for (const { rejection } of rows) {
    const { code, text } = rejection;
    if (code === 'duplicate') continue;
    rejected++;
    enter(summary.rejected, code, (lookup(summary.rejected, code) ?? 0) + 1);
    if (summary.refusals.length < REFUSALS_MAX) summary.refusals.push(`${code}: ${text}`);
  }
  return rejected;
}

function addWarnings(summary: SendSummary, { warnings }: ClientAnswer): void {
  const { warnings: known } = summary;
  for (const { field = '', count, text } of warnings) {
    const one = lookup(known, field);
    if (one !== undefined) one.count += count;
    else if (Object.keys(known).length < WARNINGS_MAX) enter(known, field, { count, text });
  }
}

/** Every row was answered. Refused rows are answered too: they are kept, with their reason. */
export function isComplete(summary: SendSummary): boolean {
  return summary.unanswered === 0;
}

export function rejectedRows(summary: SendSummary): number {
  return Object.values(summary.rejected).reduce((sum, count) => sum + count, 0);
}

export function summaryText(summary: SendSummary): string {
  const n = (count: number): string => count.toLocaleString('en');
  const lines: [string, string][] = [
    ['rows', n(summary.rows)],
    ['accepted', n(summary.accepted)],
    ['duplicates', n(summary.duplicates)],
    ...(summary.skipped > 0 ? [['skipped', `${n(summary.skipped)} (sent by an earlier run)`] as [string, string]] : []),
    ...Object.entries(summary.rejected).map(([code, count]): [string, string] => [`rejected`, `${n(count)} ${code}`]),
    ...Object.values(summary.warnings).map(({ count, text }): [string, string] => ['warning', `${text} (${n(count)})`]),
    ...(summary.unanswered > 0 ? [['not answered', n(summary.unanswered)] as [string, string]] : []),
    ['frames', n(summary.frames)],
    ...(summary.retries > 0 ? [['retries', n(summary.retries)] as [string, string]] : []),
    ...(summary.reconnects > 0 ? [['reconnects', n(summary.reconnects)] as [string, string]] : []),
    ['took', `${summary.seconds.toFixed(1)} s, ${n(summary.rows_per_second)} rows/s`],
    ['producer', summary.producer],
  ];
  const more = rejectedRows(summary) - summary.refusals.length;
  const refusals = [
    ...summary.refusals,
    ...(more > 0 ? [`… and ${n(more)} more: --answers FILE and the table dead_letters have them all`] : []),
  ];
  return [...lines.map(([name, value]) => `${name.padEnd(14)}${value}`), ...refusals, ...summary.problems].join('\n');
}
