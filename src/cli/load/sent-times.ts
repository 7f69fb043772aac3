/** When each frame was sent, by seq, until it is visible in SQL: a queue of numbers in a ring that grows up to a bound. */

const CAPACITY = 1 << 12;
/** 32 MiB a stream; what is beyond is not measured, and counted. */
const CAPACITY_MAX = 1 << 22;

export class SentTimes {
  /** Frames whose visibility could not be measured. */
  unmeasured = 0;
  #times = new Float64Array(CAPACITY);
  /** Seq of the oldest, and of the next. */
  #first = 1;
  #next = 1;

  /** Seqs come one after another. */
  push(seq: number, sentAt: number): void {
    if (this.#next - this.#first === this.#times.length && !this.#grow()) {
      this.#first++;
      this.unmeasured++;
    }
    this.#times[seq % this.#times.length] = sentAt;
    this.#next = seq + 1;
  }

  /** Hands over, and forgets, the times of all frames up to `seq`. */
  takeThrough(seq: number, take: (sentAt: number) => void): void {
    for (; this.#first <= seq && this.#first < this.#next; this.#first++)
      take(this.#times[this.#first % this.#times.length]!);
  }

  #grow(): boolean {
    if (this.#times.length >= CAPACITY_MAX) return false;
    const grown = new Float64Array(this.#times.length * 4);
    for (let seq = this.#first; seq < this.#next; seq++)
      grown[seq % grown.length] = this.#times[seq % this.#times.length]!;
    this.#times = grown;
    return true;
  }
}
