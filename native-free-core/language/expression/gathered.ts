/** What the emitted code of one function refers to: the emitter gathers it, declarations.ts makes the runtime of it. */

import type { ListCursor } from './runtime.ts';
import type { Automaton } from './runtime-text.ts';
import type { ZoneCursor } from './runtime-time.ts';

/** A text constant that dictionary ids are compared with. */
export interface LabelSlot {
  readonly from: number;
  readonly bytes: number;
}

/** What the emitted code of one function refers to. */
export interface Gathered {
  readonly bytes: number[];
  readonly slots: Map<string, LabelSlot>;
  readonly lists: ListCursor[];
  readonly zones: Map<string, ZoneCursor>;
  readonly automata: Map<string, Automaton>;
  /** Source of the condition for each memory of dictionary ids. */
  readonly remembered: string[];
  scratchBytes: number;
  temporaries: number;
}
