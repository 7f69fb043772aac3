/**
 * What every micro-benchmark exports, so that one runner can run them all, small (to keep them from rotting) or in full.
 */

export interface BenchFigure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Of the result, so that a bench that computes nothing is seen. */
  readonly checksum: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface BenchOptions {
  readonly tiny: boolean;
  /** The number that was given as `--name=…`. */
  option(name: string): number | undefined;
}

export interface Bench {
  readonly name: string;
  /** Takes minutes and the whole machine: left out of a run of all benches, but for the tiny one. */
  readonly onlyWhenNamed?: boolean;
  /** What a reader gets instead of a line for each figure. */
  text?(figures: readonly BenchFigure[]): string;
  run(options: BenchOptions): Promise<BenchFigure[]>;
}
