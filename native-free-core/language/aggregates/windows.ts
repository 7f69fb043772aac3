/** Which windows an aggregate takes, and what a user is told who writes another. */

/** `at`: the key that is wrong; `feature`: something is missing. The message comes after the aggregate's name. */
export interface Refusal {
  readonly at: 'feature' | 'window' | 'delay' | 'current_event';
  readonly message: string;
}

/** null: it takes that. A window of a duration is taken by all. */
export interface Windows {
  readonly life: Refusal | null;
  readonly day: Refusal | null;
  readonly session: Refusal | null;
  readonly delay: Refusal | null;
  readonly currentEvent: Refusal | null;
}

const NO_DELAY: Refusal = { at: 'delay', message: 'takes no delay' };
const NEEDS_DURATION: Refusal = { at: 'feature', message: 'needs a window: write window: 5m' };

export const EVERY_WINDOW: Windows = { life: null, day: null, session: null, delay: null, currentEvent: null };

export const NOT_DELAYED: Windows = { ...EVERY_WINDOW, delay: NO_DELAY };

export const DURATIONS: Windows = {
  ...EVERY_WINDOW,
  life: NEEDS_DURATION,
  day: NEEDS_DURATION,
  session: NEEDS_DURATION,
};

export const UNDELAYED_DURATIONS: Windows = { ...DURATIONS, delay: NO_DELAY };

const NO_SPAN: Refusal = {
  at: 'window',
  message: 'looks at the event before, in no session or calendar: write a duration, or no window',
};

/** They look at the event before, whatever the window. */
export const LOOKING_BACK: Windows = {
  life: null,
  day: NO_SPAN,
  session: NO_SPAN,
  delay: NO_DELAY,
  currentEvent: { at: 'current_event', message: 'never counts the current event: leave current_event out' },
};
