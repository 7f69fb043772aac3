/**
 * How the engine's allocator (jemalloc, inside the library) keeps memory: an environment variable that it reads when the
 * library is loaded, so it must stand there before the child process begins. Called by start-clickhouse.ts.
 *
 * The library asks for an arena for each core and lets threads wander between them. An insert that runs on another core than
 * the one before finds nothing to use again there, and both arenas end up as large as the largest insert. Measured: 90
 * inserts of 345,000 rows,
 * 102 MB each, one after another, on 2 cores; anonymous resident memory, and page faults of an insert:
 *
 *   as it comes                            478 MB (404-523), 9,000
 *   pages kept for 30 s                    519 MB (435-534), 3,700
 *   arenas by thread and not by core       517 MB (435-530), 4,900
 *   one arena                              303 MB (175-308), 4,400
 *   one arena, pages kept for 30 s         298 MB (243-313), 2,300     what is used here; insert times do not differ
 */

/** Cores that share an arena: its locks are held for large allocations only, small ones come from a cache of the thread. */
const CORES_PER_ARENA = 4;
/**
 * Pages without use go back to the system after that, ms: beyond the pause between two batches, well below a person's
 * patience.
 */
const DIRTY_MS = 30_000;

/** The value of `JE_MALLOC_CONF`; what an operator has set there comes last and so wins. */
export function allocatorSettings(cores: number, operator = ''): string {
  const arenas = Math.ceil(cores / CORES_PER_ARENA);
  const ours = `percpu_arena:disabled,narenas:${arenas},dirty_decay_ms:${DIRTY_MS}`;
  return operator === '' ? ours : `${ours},${operator}`;
}
