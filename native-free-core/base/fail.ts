/**
 * A broken invariant ends the process: whoever sees one cannot trust the shared tables any more.
 * Called on any thread; hot code writes `if (bad) fail(CODE, number)` so that no string is built while all is well.
 */

export class InvariantError extends Error {
  readonly code: string;

  constructor(code: string, detail: number) {
    super(`invariant broken: ${code} detail=${detail}; the process must restart and recover`);
    this.name = 'InvariantError';
    this.code = code;
  }
}

export function fail(code: string, detail = 0): never {
  throw new InvariantError(code, detail);
}
