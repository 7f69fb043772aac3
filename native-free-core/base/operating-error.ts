/**
 * Operating errors: what can go wrong outside the code (files, ports, input, another server).
 * Thrown anywhere in src/ and client/, printed by main.ts. A broken invariant is not one of these: it calls `fail()`.
 */

import type { ErrorCode } from './error-codes.ts';
import type { OutcomeText } from './outcomes.ts';

export interface OperatingErrorOptions {
  readonly cause?: unknown;
  /** Whether doing the same again later may succeed. */
  readonly retryable?: boolean;
}

/** Message: what failed, `name=value` pairs, what to do about it. */
export class OperatingError extends Error {
  readonly code: ErrorCode | OutcomeText['code'];
  readonly retryable: boolean;

  constructor(code: ErrorCode | OutcomeText['code'], message: string, options: OperatingErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OperatingError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}
