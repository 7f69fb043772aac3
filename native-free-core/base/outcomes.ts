/**
 * Outcomes of the hot path: negative integers, so that a check is one comparison and nothing is thrown.
 * The texts are what a client reads in a rejection and an analyst in `dead_letters.reason`.
 */

export const LANE_FULL = -1;
export const LANE_EMPTY = -2;

/** Rejections of one event; the neighbours go on. */
export const EVENT_MALFORMED = -10;
export const EVENT_INVALID_UTF8 = -11;
export const EVENT_NO_KEY = -12;
export const EVENT_NO_TIME = -13;
export const EVENT_TIME_TOO_OLD = -14;
export const EVENT_TIME_TOO_NEW = -15;
export const EVENT_STRING_TOO_LONG = -16;
export const EVENT_LIST_TOO_LONG = -17;
export const EVENT_DICTIONARY_FULL = -18;
export const EVENT_WRONG_TYPE = -19;
export const EVENT_NUMBER_OUT_OF_RANGE = -20;
export const EVENT_NESTED_TOO_DEEP = -21;
export const EVENT_UNKNOWN_FIELD = -22;
export const EVENT_REPEATED_FIELD = -23;

/** Not a rejection: the event was seen before (by `event_id`) and changes nothing. */
export const EVENT_DUPLICATE = -30;

/** Rejections of a whole frame. */
export const FRAME_MALFORMED = -40;
export const FRAME_SEQ_TOO_OLD = -41;
export const FRAME_TOO_MANY_EVENTS = -42;
export const FRAME_SEQ_MISSING = -43;
export const FRAME_TOO_MANY_PRODUCERS = -44;

export interface OutcomeText {
  readonly code: OutcomeCode | 'unknown';
  readonly text: string;
}

const TEXTS = {
  [EVENT_MALFORMED]: { code: 'malformed', text: 'the event bytes are not a message of the pipeline’s type' },
  [EVENT_INVALID_UTF8]: { code: 'invalid_utf8', text: 'a string field holds bytes that are not UTF-8' },
  [EVENT_NO_KEY]: { code: 'no_key', text: 'the event has no key for the primary entity' },
  [EVENT_NO_TIME]: { code: 'no_time', text: 'the event has no time' },
  [EVENT_TIME_TOO_OLD]: { code: 'time_too_old', text: 'the event time lies before accept.max_age or before 1970' },
  [EVENT_TIME_TOO_NEW]: { code: 'time_too_new', text: 'the event time lies beyond accept.max_future' },
  [EVENT_STRING_TOO_LONG]: { code: 'string_too_long', text: 'a string or bytes field is longer than its limit' },
  [EVENT_LIST_TOO_LONG]: { code: 'list_too_long', text: 'a repeated field or map has more elements than its limit' },
  [EVENT_DICTIONARY_FULL]: {
    code: 'dictionary_full',
    text: 'the value is new and the dictionary takes no more: it is full (events.dictionary_max), or this producer has added a quarter of it',
  },
  [EVENT_WRONG_TYPE]: { code: 'wrong_type', text: 'a field holds a value of another type than declared' },
  [EVENT_NUMBER_OUT_OF_RANGE]: { code: 'out_of_range', text: 'a number does not fit its field' },
  [EVENT_NESTED_TOO_DEEP]: { code: 'nested_too_deep', text: 'messages or groups are nested too deep' },
  [EVENT_UNKNOWN_FIELD]: { code: 'unknown_field', text: 'the event has a field that the pipeline’s message has not' },
  [EVENT_REPEATED_FIELD]: { code: 'repeated_field', text: 'a field that may come once is given twice' },
  [EVENT_DUPLICATE]: { code: 'duplicate', text: 'the event id was seen before' },
  [FRAME_MALFORMED]: { code: 'frame_malformed', text: 'the bytes are not a frame' },
  [FRAME_SEQ_TOO_OLD]: { code: 'seq_too_old', text: 'the sequence number is older than the 1024 that are remembered' },
  [FRAME_TOO_MANY_EVENTS]: { code: 'too_many_events', text: 'the frame holds more events than one frame may' },
  [FRAME_SEQ_MISSING]: { code: 'seq_missing', text: 'a producer was named but the frame carries no sequence number' },
  [FRAME_TOO_MANY_PRODUCERS]: {
    code: 'too_many_producers',
    text: 'the producer is new and no more can be remembered until one has been idle for events.producers.forget_after; send under a name that is known, or under none',
  },
} as const satisfies Readonly<Record<number, { readonly code: string; readonly text: string }>>;

export type OutcomeCode = (typeof TEXTS)[keyof typeof TEXTS]['code'];

export function outcomeText(outcome: number): OutcomeText {
  return (TEXTS as Readonly<Record<number, OutcomeText>>)[outcome] ?? { code: 'unknown', text: `outcome ${outcome}` };
}

/** The outcome with this code, or EVENT_MALFORMED where no outcome has it. */
export function outcomeByCode(code: string): number {
  for (const [outcome, text] of Object.entries(TEXTS)) if (text.code === code) return Number(outcome);
  return EVENT_MALFORMED;
}
