/**
 * A slot: a field of the event that every frame of the load generator fills anew, at a fixed width, in a copy of a template.
 * The id, the time and the fields that entity keys are made of are slots; all else stays as the template has it.
 */

/** The frame that is being written: one object, reused, so that filling allocates nothing. */
export interface FrameInProgress {
  /** Of the memory that the frame is written to. */
  view: DataView;
  /** Where the frame begins in it. */
  at: number;
  /** Its first event among those of all templates: a slot's places from here on are the frame's. */
  firstEvent: number;
  readonly events: number;
  seq: number;
  stream: StreamIdentity;
  /** Event time, whole ms. */
  timeMs: number;
  /** Index of its first draw of a key. */
  drawFrom: number;
}

/** What tells the ids of one connection of one run from all others. */
export interface StreamIdentity {
  /** The first 4 and the next 2 characters of its event ids, little-endian. */
  readonly prefixLow: number;
  readonly prefixHigh: number;
  /** The run and the connection as numbers, for ids that are numbers. */
  readonly run: number;
  readonly connection: number;
}

export interface Slot {
  /** Tag, length where the type has one, and room for the value. */
  readonly placeholder: Uint8Array;
  /** Where in the placeholder `fill` writes. */
  readonly valueAt: number;
  /** `places`: per event of all templates where the value lies, from the frame's begin; -1 where the event has none. */
  fill(frame: FrameInProgress, places: Int32Array): void;
}

/** A frame's events are numbered within so many. */
export const EVENTS_PER_SEQ = 8192;
/** The number of an event has 40 bits, 13 of them for its index in the frame. */
export const SEQ_MAX = 2 ** 27 - 1;
/** Of a run, and of a connection in it, in base 36. */
export const RUN_CHARACTERS = 4;
const CONNECTION_CHARACTERS = 2;

/** `prefix`: 4 characters of the run, 2 of the connection, both in base 36. */
export function streamIdentity(prefix: string): StreamIdentity {
  const bytes = Buffer.from(prefix.padEnd(RUN_CHARACTERS + CONNECTION_CHARACTERS, '0'), 'latin1');
  return {
    prefixLow: bytes.readUInt32LE(0),
    prefixHigh: bytes.readUInt16LE(RUN_CHARACTERS),
    run: Number.parseInt(prefix.slice(0, RUN_CHARACTERS), 36),
    connection: Number.parseInt(prefix.slice(RUN_CHARACTERS) || '0', 36),
  };
}
