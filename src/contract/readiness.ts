/** Whether the server does what it is for, as engine/watch-readiness.ts finds it and ingress threads tell it. */

export type ReadyPart = 'start' | 'answers' | 'storing' | 'queries';

export interface Failing {
  readonly part: ReadyPart;
  readonly reason: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly failing: readonly Failing[];
}

export const NOT_READY_STARTING: Readiness = {
  ready: false,
  failing: [{ part: 'start', reason: 'the server is starting' }],
};
export const NOT_READY_STOPPING: Readiness = {
  ready: false,
  failing: [{ part: 'start', reason: 'the server is stopping' }],
};
