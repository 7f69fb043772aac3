/**
 * A thread that has time: the scheduler serves all others first. Called by threads of their own, on Linux; elsewhere it
 * changes nothing.
 */

import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

const NICENESS = 15;

export function yieldToOthers(): void {
  try {
    // <process>/task/<thread>
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, NICENESS);
  } catch {
    // No such thing on this system: the thread runs like any other.
  }
}
