/** How a value looks in the JavaScript that is emitted for an expression. */

/** A number. It is absent where one of `absent` (JavaScript conditions) holds. */
export interface NumberCode {
  readonly value: string;
  readonly absent: readonly string[];
  /** Integers: no value is larger in magnitude. Doubles: Infinity. */
  readonly bound: number;
  readonly integer: boolean;
  /** A double that may be NaN or infinite, which counts as absent (`present` in emit-number.ts). */
  readonly wild: boolean;
  /** The two halves of a 64-bit integer, which order and tell apart what `value` cannot. */
  readonly words: { readonly low: string; readonly high: string } | null;
}

/** A string or bytes value: `length` bytes of `heap` from `start` on. */
export interface TextCode {
  readonly heap: string;
  readonly start: string;
  readonly length: string;
  readonly absent: readonly string[];
}
