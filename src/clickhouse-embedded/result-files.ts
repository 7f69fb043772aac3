/**
 * Results that a client wants complete before the first byte (`wait_end_of_query=1`) lie in the request folder until they
 * are sent. Each has a largest size, and all together: a query that writes more is ended before it fills the disk, on which
 * the engine stores. Child process, called by run-statement.ts.
 */
import { statSync } from 'node:fs';
import { EngineFailure } from './engine-failure.ts';
import { RESULT_BYTES_MAX, RESULTS_BYTES_MAX } from './child-bounds.ts';

/** At 1 GB/s, the most that a query was seen to write, 100 MB. */
const LOOK_MS = 100;

/** Bytes of each file that is being written or sent. */
const sizes = new Map<string, number>();

/** Runs what writes the file at `path`; `kill` ends the query. The file counts until `forgetResult`. */
export async function writeInBound<Result>(
  path: string,
  kill: () => Promise<void>,
  write: () => Promise<Result>,
): Promise<Result> {
  let failure: EngineFailure | null = null;
  const timer = setInterval(() => {
    const before = failure;
    failure ??= look(path);
    if (before === null && failure !== null) void kill();
  }, LOOK_MS);
  try {
    const result = await write();
    failure ??= look(path);
    if (failure !== null) throw failure;
    return result;
  } catch (cause) {
    throw failure ?? cause;
  } finally {
    clearInterval(timer);
  }
}

export function forgetResult(path: string): void {
  sizes.delete(path);
}

function look(path: string): EngineFailure | null {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  sizes.set(path, bytes);
  const all = [...sizes.values()].reduce((sum, one) => sum + one, 0);
  if (bytes > RESULT_BYTES_MAX) return tooLarge('RESULT_BYTES_MAX', RESULT_BYTES_MAX);
  return all > RESULTS_BYTES_MAX ? tooLarge('RESULTS_BYTES_MAX', RESULTS_BYTES_MAX) : null;
}

function tooLarge(name: string, bound: number): EngineFailure {
  return new EngineFailure(
    396,
    'TOO_MANY_ROWS_OR_BYTES',
    `The result is too large to lie on the disk whole: ${name}=${bound}. Ask without wait_end_of_query, so that it is sent as it comes`,
  );
}
