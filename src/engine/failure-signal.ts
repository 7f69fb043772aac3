/** The first part of the server that dies ends it: whoever runs the engine waits for this. Made by engine/start.ts. */

import { diedOf } from '../system/end-process.ts';
import type { Log } from '../system/log.ts';

export interface FailureSignal {
  /** Rejects with what died of what. */
  readonly promise: Promise<never>;
  /** For the part of that name to call with its error. */
  of(who: string): (error: unknown) => void;
}

export function failureSignal(log: Log): FailureSignal {
  let raise: (error: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => (raise = reject));
  promise.catch(() => undefined);
  return {
    promise,
    of: (who) => (error) => {
      if (error instanceof Error) log('error', `${who} died`, { stack: error.stack });
      raise(diedOf(who, error));
    },
  };
}
