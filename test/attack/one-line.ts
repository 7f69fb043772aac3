/** What a command that refuses says: one line on standard error, no stack trace. Used by the tests of ends. */

import { expect } from 'vitest';
import type { CommandResult } from '../e2e/server.ts';

/** Ports of the system's choice, on this machine. */
export const ADDRESSES = ['--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];

export function expectOneLine({ code, stderr }: CommandResult, exitCode: number, says: RegExp): void {
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/^hunt: /);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(code).toBe(exitCode);
}
