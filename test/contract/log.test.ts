/** Positions of a log: what the functions make of them, and that the compiler refuses everything else. */

import { expect, test } from 'vitest';
import {
  after,
  before,
  BEFORE_FIRST,
  countBetween,
  earlier,
  isBefore,
  LAST,
  later,
  positionOf,
  reaches,
  written,
} from '../../src/contract/event-log.ts';

const [three, five] = [positionOf(3), positionOf(5)];

test('positions are ordered by their functions', () => {
  expect([isBefore(three, five), isBefore(five, three), isBefore(three, three)]).toEqual([true, false, false]);
  expect([reaches(three, five), reaches(five, three), reaches(three, three)]).toEqual([false, true, true]);
  expect([earlier(three, five), earlier(five, three)]).toEqual([three, three]);
  expect([later(three, five), later(five, three)]).toEqual([five, five]);
  expect([after(three), before(five)]).toEqual([positionOf(4), positionOf(4)]);
  expect(countBetween(three, five)).toBe(2);
  expect([isBefore(BEFORE_FIRST, after(BEFORE_FIRST)), reaches(LAST, five), after(LAST)]).toEqual([true, true, LAST]);
});

test('they are written down as numbers, and found again', () => {
  expect(written(after(BEFORE_FIRST))).toBe(1);
  expect(JSON.parse(JSON.stringify({ three }))).toEqual({ three: 3 });
  expect(structuredClone({ five }).five === five).toBe(true);
});

/** Not run: each line is refused by `npm run typecheck`, which also refuses a mark that refuses nothing. */
export const refused = [
  // @ts-expect-error
  () => three < five,
  // @ts-expect-error
  () => three <= five,
  // @ts-expect-error
  () => three > five,
  // @ts-expect-error
  () => three >= five,
  // @ts-expect-error
  () => three > 2,
  // @ts-expect-error
  () => three === 3,
  // @ts-expect-error
  () => five - three,
  // @ts-expect-error
  () => three + 1,
  // @ts-expect-error
  () => Math.max(three, five),
  // @ts-expect-error
  () => Math.min(three, 1),
  // @ts-expect-error
  () => 'at ' + three,
  // @ts-expect-error
  (): number => three,
  // @ts-expect-error
  () => isBefore(3, five),
];
