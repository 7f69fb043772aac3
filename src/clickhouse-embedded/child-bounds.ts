/**
 * Every bound of the embedded ClickHouse in one place. Read by the parent (start-clickhouse.ts) and by the child process.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * Longest statement, without the data of an insert. ClickHouse's own `max_query_size` is 256 KiB; this leaves room for long
 * IN lists.
 */
export const QUERY_BYTES_MAX = 4 * MIB;

/** How much of a body is kept in memory before it must have turned out to be an insert whose data can go to a file. */
export const BODY_HEAD_BYTES = 64 * KIB;

/** Largest multipart or compressed body that is unpacked in memory; larger inserts name their query in the URL. */
export const BODY_IN_MEMORY_BYTES_MAX = 16 * MIB;

/** Largest body of one insert, on disk and in page cache only. */
export const BODY_BYTES_MAX = 4 * GIB;

/** All bodies that may lie in the request folder at one time. */
export const SPOOLED_BYTES_MAX = 8 * GIB;

/** One result that must be complete before it is sent, and all that lie on the disk at one time. */
export const RESULT_BYTES_MAX = 2 * GIB;
export const RESULTS_BYTES_MAX = 4 * GIB;
/** What one query may put on the disk for its own time: sorts and groups that do not fit into memory. */
export const TEMPORARY_BYTES_MAX = 8 * GIB;

/** First part of a result, held back so that small results carry their summary and failures their status. */
export const RESULT_HOLD_BYTES = 256 * KIB;
export const RESULT_HOLD_MS = 100;

/** One read from a result pipe; a Linux pipe holds 64 KiB. */
export const RESULT_READ_BYTES = 64 * KIB;

/** Requests that wait for a slot, of each kind; more are answered 503. */
export const WAITING_REQUESTS_MAX = 64;

/** Queries at once. Public reads are an option (`readers`); the engine's own never stand behind them. */
export const READERS_DEFAULT = 3;
export const READERS_MAX = 16;
export const ENGINE_READERS = 2;
export const ENGINE_WRITERS = 2;
export const PUBLIC_WRITERS = 1;

/**
 * How long an insert of the engine may take before the views of clients at its table are taken off; one of a full batch
 * takes well under 1 s.
 */
export const VIEW_PATIENCE_MS = 10_000;
/** Materialized views of clients at the engine's tables, all together. */
export const ATTACHED_VIEWS_MAX = 8;

/** What clients may keep in databases of their own, all together. */
export const OWN_DATABASES_MAX = 64;
export const OWN_TABLES_MAX = 1024;
export const OWN_BYTES_MAX = 64 * GIB;
/** Of the engine's memory, for tables that live in it (Memory, Set, Join). */
export const OWN_MEMORY_SHARE = 1 / 8;
/** Clients write only while so much of the disk is free: what the engine stores comes first. */
export const OWN_FREE_DISK_BYTES_MIN = 2 * GIB;
export const OWN_FREE_DISK_SHARE_MIN = 0.05;
/** How often the space is looked at while a client writes, and while nobody does but views that refresh themselves. */
export const OWN_SPACE_LOOK_MS = 1_000;
export const OWN_SPACE_WATCH_MS = 10_000;
/** Views of clients that refresh themselves, all together. */
export const REFRESHING_VIEWS_MAX = 8;
/** Longest run of one refresh, s, and its share of the engine's memory. */
export const REFRESH_SECONDS_MAX = 300;
export const REFRESH_MEMORY_SHARE = 1 / 4;

/** Longest run of one public query, and what it gets when it asks for nothing. */
export const EXECUTION_SECONDS_DEFAULT = 300;
export const EXECUTION_SECONDS_MAX = 3600;

/** How long a starting engine waits for a predecessor to let go of the folder before it ends it. */
export const PREDECESSOR_WAIT_MS = 3_000;
/** SIGKILL of a process with gigabytes mapped took 1.4 s (measured); this is the bound after which we give up. */
export const PREDECESSOR_KILL_MS = 10_000;
export const POLL_MS = 50;

/** Opening an engine on an existing folder took 0.15 s; a folder with very many parts takes longer. */
export const START_MS_MAX = 120_000;
/** A stopping child finishes what it runs for this long; the parent then kills it. */
export const STOP_DRAIN_MS = 10_000;
export const STOP_MS_MAX = 20_000;

/** Memory the engine may use when nobody says: 4 GiB, but no more than 40 % of the machine. */
export const MEMORY_BYTES_DEFAULT = 4 * GIB;
export const MEMORY_MACHINE_SHARE = 0.4;
export const MEMORY_BYTES_MIN = 512 * MIB;

if (BODY_HEAD_BYTES > QUERY_BYTES_MAX || BODY_BYTES_MAX > SPOOLED_BYTES_MAX || STOP_DRAIN_MS >= STOP_MS_MAX) {
  throw new Error('embedded limits contradict one another');
}

/** Bounds that depend on the machine. */
export interface OwnBounds {
  readonly bytesMax: number;
  readonly memoryBytesMax: number;
  readonly refreshMemoryBytes: number;
}
