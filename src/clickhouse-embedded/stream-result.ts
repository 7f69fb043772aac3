/**
 * Streams one result from its pipe to the client. The beginning is held back for a moment: a result that is complete by then
 * goes out whole, with its summary, and a query that fails by then gets a proper status; after that, failing means breaking
 * off. Child process.
 */
import { summaryHeader } from './answer-headers.ts';
import type { QueryResult } from './chdb.ts';
import { EngineFailure } from './engine-failure.ts';
import { RESULT_HOLD_BYTES, RESULT_HOLD_MS } from './child-bounds.ts';
import type { Headers, Reply } from './reply.ts';
import type { ResultPipe } from './result-pipe.ts';

export async function streamResult(
  pipe: ResultPipe,
  reply: Reply,
  headers: Headers,
  run: () => Promise<QueryResult>,
): Promise<QueryResult> {
  let held: Buffer[] | undefined = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  const letGo = (): boolean => {
    clearTimeout(timer);
    const chunks = held ?? [];
    held = undefined;
    reply.begin({ ...headers, ...summaryHeader(undefined, false) });
    return reply.write(Buffer.concat(chunks));
  };
  const sink = (chunk: Uint8Array): boolean => {
    // The engine blocks on a full pipe: whoever has failed or gone still has to empty it.
    if (hasFailed || reply.isAborted) return true;
    if (held === undefined) return reply.write(chunk);
    held.push(Buffer.from(chunk));
    heldBytes += chunk.byteLength;
    if (heldBytes >= RESULT_HOLD_BYTES) return letGo();
    timer ??= setTimeout(() => held !== undefined && letGo(), RESULT_HOLD_MS);
    return true;
  };

  reply.whenDrained(() => pipe.resume());
  pipe.open(sink);
  try {
    const answer = await run();
    pipe.finish();
    if (held === undefined) reply.end();
    else reply.whole(200, { ...headers, ...summaryHeader(answer, false) }, Buffer.concat(held));
    return answer;
  } catch (cause) {
    hasFailed = true;
    pipe.finish();
    if (held === undefined) reply.breakOff();
    throw EngineFailure.of(cause);
  } finally {
    clearTimeout(timer);
  }
}
