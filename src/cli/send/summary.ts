/** What became of the rows of a file. Filled by send-file.ts, printed by cli/send.ts. */

import { enter, lookup } from '../../../native-free-core/base/lookup.ts';
import type { ClientAnswer } from '../../client/index.ts';
import type { FileFrame } from './framing.ts';

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
  /** Events that were refused, by code; they are in dead_letters. */
  readonly rejected: Record<string, number>;
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
  return { file, producer, ...counts, problems: [], seconds: 0, rows_per_second: 0 };
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
  if (answer.status === 'DUPLICATE') {
    // Another file, or more rows than then, under the same name and number: the new ones have not been taken.
    if (answer.events !== count) {
      summary.unanswered += count;
      const advice = 'the file or --events-per-frame has changed since; send it under another --producer';
      addProblem(
        summary,
        `rows ${frame.firstRow + 1}-${frame.rows.at(-1)! + 1}: frame ${frame.seq} had ${answer.events} events when it was sent before, now ${count}; ${advice}`,
      );
      return;
    }
    summary.duplicates += count;
    return;
  }
  let refused = 0;
  for (const { code } of answer.rejections) {
    if (code === 'duplicate') summary.duplicates++;
    else enter(summary.rejected, code, (lookup(summary.rejected, code) ?? 0) + 1);
    refused++;
  }
  summary.accepted += count - refused;
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
    ...(summary.unanswered > 0 ? [['not answered', n(summary.unanswered)] as [string, string]] : []),
    ['frames', n(summary.frames)],
    ...(summary.retries > 0 ? [['retries', n(summary.retries)] as [string, string]] : []),
    ...(summary.reconnects > 0 ? [['reconnects', n(summary.reconnects)] as [string, string]] : []),
    ['took', `${summary.seconds.toFixed(1)} s, ${n(summary.rows_per_second)} rows/s`],
    ['producer', summary.producer],
  ];
  return [...lines.map(([name, value]) => `${name.padEnd(14)}${value}`), ...summary.problems].join('\n');
}
