/**
 * Gives memory back now: V8 sees little of what a shared buffer weighs, and a quiet thread collects nothing for hours.
 * Called where a thread has dropped the tables or the loops of a former pipeline version, some milliseconds each time.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
