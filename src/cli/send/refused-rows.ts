/**
 * The rows of a frame that were refused, in terms of the file: what is wrong with them, and which rows they are. Used by
 * summary.ts and send-file.ts.
 */

import type { ClientAnswer, Rejection } from '../../client/index.ts';
import type { FileFrame } from './framing.ts';

export interface RefusedRow {
  /** In the file, from 0. */
  readonly index: number;
  readonly rejection: Omit<Rejection, 'index'>;
}

/** Duplicates by their id among them. A frame that was refused whole is refused in each of its rows. */
export function refusedRows(frame: FileFrame, answer: ClientAnswer): RefusedRow[] {
  const [whole] = answer.rejections;
  if (answer.status === 'REJECTED' && whole !== undefined) {
    const { index: _, ...rejection } = whole;
    return frame.rows.map((index) => ({ index, rejection }));
  }
  return answer.rejections.flatMap(({ index: place, ...rejection }) => {
    const index = frame.rows[place];
    if (index === undefined) return [];
    // The reader of the file knows better why what it sent as a text is no event.
    const text = frame.problems.get(place) ?? rejection.text;
    return [{ index, rejection: { ...rejection, text: `${text.replace(/; row \d+$/, '')}; row ${index + 1}` } }];
  });
}
