/**
 * Each operation of the table by itself: random calls over random rows give in the kernel what the interpreter says
 * (oracle.ts), and in ClickHouse what they give in the kernel. An operation that is never present, or never true and false,
 * is not tested, which fails.
 */

import { describe, expect, test } from 'vitest';
import { FUNCTIONS } from '../../../native-free-core/language/functions/index.ts';
import type { Expression, ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { isLong } from '../../long.ts';
import { seeded } from '../../random.ts';
import { evaluate } from '../expression/oracle.ts';
import { isFragile, randomCall, type Random } from '../expression/random-expression.ts';
import { createWorld, fillWorld, ROWS, type Value, type World } from '../expression/world.ts';
import { compareOverNewRows, nothingSeen, openSession } from '../sql/agreement.ts';
import { compileGroup } from '../sql/core-values.ts';

const SEED = Number(process.env['HUNT_SEED'] ?? 20261130);
/** Over 64 rows each: 5,120 values of each operation. */
const KERNEL_CALLS = isLong ? 160 : 80;
const SQL_CALLS = isLong ? 24 : 12;
/** In one emitted function. */
const GROUP = 40;

const operators = Object.keys(FUNCTIONS) as ExpressionOperator[];

describe(`kernel and reference agree, seed=${SEED}`, () => {
  test.each(operators)('%s', (operator) => {
    const random = seeded(SEED + operators.indexOf(operator));
    const world = createWorld();
    const seen = new Map<string, number>();
    for (let done = 0; done < KERNEL_CALLS; done += GROUP) {
      const calls = callsOf(world, random, operator, GROUP);
      fillWorld(world, random);
      const evaluator = compileGroup(world, world.plan, calls);
      for (let row = 0; row < ROWS; row++) {
        const values: (Value | undefined)[] = [];
        evaluator(row, values);
        calls.forEach((expression, i) => {
          const expected = evaluate(expression, world.rows[row]);
          const actual = values[i] ?? null;
          if (!same(expected, actual))
            expect.fail(
              `row=${row} expected=${String(expected)} actual=${String(actual)} ${JSON.stringify(expression)}`,
            );
          const shown = expected instanceof Uint8Array ? Buffer.from(expected).toString('hex') : String(expected);
          seen.set(shown, (seen.get(shown) ?? 0) + 1);
        });
      }
    }
    const isCondition = FUNCTIONS[operator].condition !== undefined && FUNCTIONS[operator].number === undefined;
    if (isCondition) expect(Math.min(seen.get('true') ?? 0, seen.get('false') ?? 0)).toBeGreaterThan(100);
    else expect([...seen.keys()].filter((value) => value !== 'null').length).toBeGreaterThan(1);
  });
});

const server = useEmbeddedServer();

test(`kernel and ClickHouse agree on ${SQL_CALLS} calls of each operation, seed=${SEED}`, async () => {
  const random = seeded(SEED);
  const session = await openSession(server);
  for (const operator of operators) {
    const seen = nothingSeen();
    const calls = callsOf(session.world, random, operator, SQL_CALLS).filter((one) => !isFragile(one));
    expect(calls.length, operator).toBeGreaterThan(SQL_CALLS / 4);
    await compareOverNewRows(session, calls, random, seen, `seed=${SEED} operator=${operator}`);
    expect(seen.true + seen.false + seen.number + seen.text, operator).toBeGreaterThan(0);
  }
});

function callsOf(world: World, random: Random, operator: ExpressionOperator, count: number): Expression[] {
  return Array.from({ length: count }, (_, i) => randomCall(world, random, operator, i % 3));
}

function same(expected: Value, actual: Value): boolean {
  if (expected instanceof Uint8Array) return actual instanceof Uint8Array && Buffer.compare(expected, actual) === 0;
  return Object.is(typeof expected === 'bigint' ? Number(expected) : expected, actual);
}
