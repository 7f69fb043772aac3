/**
 * Requests without a right key, told of at most every ten seconds: who guesses keys must not fill the log. One for each
 * ingress thread, and one in the embedded ClickHouse's process.
 */

const REPORT_MS = 10_000;

export class FailedAttempts {
  readonly #report: (attempts: number, last: string) => void;
  readonly #monotonicMs: () => number;
  #count = 0;
  #reportedAt = -Infinity;
  /** Since the start. */
  total = 0;

  /** `last`: what the last of the attempts was. */
  constructor(report: (attempts: number, last: string) => void, monotonicMs: () => number = () => performance.now()) {
    this.#report = report;
    this.#monotonicMs = monotonicMs;
  }

  note(what: string): void {
    this.total++;
    this.#count++;
    const now = this.#monotonicMs();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.#report(this.#count, what);
    this.#count = 0;
  }
}
