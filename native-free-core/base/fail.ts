/**
 * A broken invariant ends the process: whoever sees one cannot trust the shared tables any more.
 * Called on any thread; hot code writes `if (bad) fail('code', number)` so that no string is built while all is well.
 */

import { INVARIANTS, type InvariantCode } from './invariants.ts';

export class InvariantError extends Error {
  readonly code: InvariantCode;

  constructor(code: InvariantCode, detail: number) {
    super(`invariant broken: ${code} detail=${detail}: ${INVARIANTS[code]}; the process must restart and recover`);
    this.name = 'InvariantError';
    this.code = code;
  }
}

export function fail(code: InvariantCode, detail = 0): never {
  throw new InvariantError(code, detail);
}
