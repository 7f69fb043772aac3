/** A sliding window as an array of hops: the present one and as many before it as the window is long. */

export class HopWindow {
  readonly #hopMs: number;
  readonly #hops: number[];
  #head = 0;

  constructor(windowMs: number, hopMs: number) {
    this.#hopMs = hopMs;
    this.#hops = Array.from({ length: windowMs / hopMs + 1 }, () => 0);
  }

  /** The entity's clock has come to this time: hops that have left the window are emptied. */
  moveTo(clockMs: number): void {
    const to = Math.floor(clockMs / this.#hopMs);
    if (to <= this.#head) return;
    if (to - this.#head >= this.#hops.length) this.#hops.fill(0);
    else for (let hop = this.#head + 1; hop <= to; hop++) this.#hops[hop % this.#hops.length] = 0;
    this.#head = to;
  }

  add(timeMs: number, value: number): void {
    const i = this.#place(timeMs);
    if (i >= 0) this.#hops[i]! += value;
  }

  raise(timeMs: number, value: number): void {
    const i = this.#place(timeMs);
    if (i >= 0 && value > this.#hops[i]!) this.#hops[i] = value;
  }

  sum(): number {
    let sum = 0;
    for (const value of this.#hops) sum += value;
    return sum;
  }

  max(): number {
    let max = 0;
    for (const value of this.#hops) if (value > max) max = value;
    return max;
  }

  /** -1: the time has left the window already. */
  #place(timeMs: number): number {
    const hop = Math.floor(timeMs / this.#hopMs);
    return hop > this.#head - this.#hops.length ? hop % this.#hops.length : -1;
  }
}
