/** Where the events of a load run come from: the pipeline's types, a file, or the example game. */

export interface EventSource {
  /**
   * The next event, as JSON. Id, time and keys are filled in by the frames: what stands there says only that the event has
   * them.
   */
  next(random: () => number): string;
  /** After so many it begins again: all of them are to be sent. 0: it does not repeat. */
  readonly eventsMin: number;
}

/** Weights of the branches of the type oneof by name; those that are not named have none. */
export type BranchWeights = Readonly<Record<string, number>>;
