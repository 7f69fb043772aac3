/**
 * A result on its way out, changed as it goes: what some clients ask for and the engine's library cannot write. Child
 * process.
 */

import type { Reply } from '../reply.ts';

export interface Recoder {
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** What is left. */
  end(): readonly Uint8Array[];
}

/** The first one sees what the engine wrote, the last one writes what the client reads. */
export function chain(recoders: readonly Recoder[]): Recoder {
  const through = (chunks: readonly Uint8Array[], from: number): readonly Uint8Array[] => {
    const recoder = recoders[from];
    return recoder === undefined
      ? chunks
      : through(
          chunks.flatMap((chunk) => recoder.push(chunk)),
          from + 1,
        );
  };
  return {
    push: (chunk) => through([chunk], 0),
    end: () => recoders.flatMap((recoder, i) => through(recoder.end(), i + 1)),
  };
}

/**
 * A reply whose results go through the recoder; failures go as they are. What the recoder cannot write is thrown when the
 * result ends, where the statement is: chunks come from a pipe.
 */
export function recoded(reply: Reply, recoder: Recoder): Reply {
  let failure: unknown;
  const push = (chunk: Uint8Array): Buffer => {
    if (failure !== undefined) return Buffer.alloc(0);
    try {
      return Buffer.concat(recoder.push(chunk));
    } catch (cause) {
      failure = cause;
      return Buffer.alloc(0);
    }
  };
  const end = (): Buffer => {
    if (failure !== undefined) throw failure;
    return Buffer.concat(recoder.end());
  };
  return {
    get isAborted() {
      return reply.isAborted;
    },
    get isAnswered() {
      return reply.isAnswered;
    },
    whenAborted: (handler) => reply.whenAborted(handler),
    hold: () => reply.hold(),
    whenDrained: (handler) => reply.whenDrained(handler),
    whole: (status, headers, body) => reply.whole(status, headers, Buffer.concat([push(Buffer.from(body)), end()])),
    begin: (headers) => reply.begin(headers),
    write: (chunk) => reply.write(push(chunk)),
    end() {
      reply.write(end());
      reply.end();
    },
    fail: (failure, headers, version) => reply.fail(failure, headers, version),
    breakOff: () => reply.breakOff(),
  };
}
