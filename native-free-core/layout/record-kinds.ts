/**
 * Kinds of records in the lanes. Each has a file here with its drawing, its writer and its reader. All are little-endian.
 *
 *   ingress -> worker       OPEN open-record.ts · FRAME frame-record.ts · CLOSE connection-record.ts · ENTITY_READ entity-read-record.ts
 *   worker -> ingress       ANSWER answer-record.ts · HELLO hello-record.ts · ENTITY_ANSWER answer-record.ts · REPEAT repeat-record.ts
 *   worker -> spool thread  BLOCK block-record.ts
 *   spool thread -> main    HEADS epoch-heads-record.ts
 */

export const RECORD_OPEN = 1;
export const RECORD_FRAME = 2;
export const RECORD_CLOSE = 3;
export const RECORD_ENTITY_READ = 4;
export const RECORD_ANSWER = 5;
export const RECORD_HELLO = 6;
export const RECORD_ENTITY_ANSWER = 7;
export const RECORD_REPEAT = 8;
export const RECORD_BLOCK = 9;
export const RECORD_HEADS = 10;

/** Where a record's bytes are read and written: a lane, or any two views of the same memory. */
export interface RecordBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}
