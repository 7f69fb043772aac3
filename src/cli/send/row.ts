/** What reading a file gives: rows. Shared by the readers of its formats and by the framing. */

import type { ImportMap } from '../../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import type { Source } from './sent-file.ts';

/** `json`: a list of events, a frame, or events over several lines each. */
export type FileFormat = 'ndjson' | 'csv' | 'json';

export interface SourceRow {
  /** One event in JSON; what can be none goes as a string, which the server refuses and keeps. */
  readonly text: string;
  /** Why it can be none, with its line where that is not its row; null: the server will say. */
  readonly problem: string | null;
}

export interface RowsOptions {
  readonly source: Source;
  readonly format: FileFormat | null;
  readonly delimiter: string;
  readonly plan: Plan;
  readonly importMap: ImportMap;
  /** Told about columns that go nowhere. */
  readonly note: (message: string) => void;
}

/** A line without end would fill the memory. */
export const LINE_CHARACTERS_MAX = 16 << 20;
