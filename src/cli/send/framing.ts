/**
 * Rows into numbered frames, in the same way every time: frame n of a file is the same events whenever it is made, so that
 * what is sent again under its number is known. It depends on the rows and on `eventsPerFrame` alone, not on the server's
 * limits.
 */

import type { SourceRow } from './row.ts';

export interface FileFrame {
  /** From 1. */
  readonly seq: number;
  /** Index of its first row in the file, from 0. */
  readonly firstRow: number;
  /** Index in the file, and text, of each of its events. */
  readonly rows: readonly number[];
  readonly texts: readonly string[];
  /** Why an event can be none, by its place in the frame; most frames have none of these. */
  readonly problems: ReadonlyMap<number, string>;
}

/** Bytes of one frame's events: well below the least that any server takes, and no frame of ordinary events reaches it. */
export const FRAME_TEXT_BYTES_MAX = 512 << 10;
/** A single event may have a frame for itself, up to this: what the server takes less the frame's own braces. */
export const EVENT_TEXT_BYTES_MAX = (1 << 20) - 128;

/** `tooLarge`: told of rows that fit no frame; they are left out. */
export async function* framesOf(
  rows: AsyncIterable<SourceRow>,
  eventsPerFrame: number,
  tooLarge: (row: number, bytes: number) => void,
): AsyncIterable<FileFrame> {
  let seq = 1;
  let row = 0;
  let bytes = 0;
  let indexes: number[] = [];
  let texts: string[] = [];
  let problems = new Map<number, string>();
  const cut = (): FileFrame => {
    const frame = { seq: seq++, firstRow: indexes[0]!, rows: indexes, texts, problems };
    indexes = [];
    texts = [];
    problems = new Map();
    bytes = 0;
    return frame;
  };
  for await (const { text, problem } of rows) {
    const index = row++;
    const size = Buffer.byteLength(text) + 1;
    if (size > EVENT_TEXT_BYTES_MAX) {
      tooLarge(index, size);
      continue;
    }
    if (texts.length > 0 && bytes + size > FRAME_TEXT_BYTES_MAX) yield cut();
    if (problem !== null) problems.set(texts.length, problem);
    indexes.push(index);
    texts.push(text);
    bytes += size;
    if (texts.length === eventsPerFrame) yield cut();
  }
  if (texts.length > 0) yield cut();
}
