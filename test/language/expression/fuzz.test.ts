/** Random expressions over random rows: the emitted code agrees with the interpreter, in value and in absence. */

import { expect, test } from 'vitest';
import type { Column } from '../../../native-free-core/layout/column.ts';
import type { Expression } from '../../../native-free-core/plan/plan.ts';
import { createEmitter } from '../../../native-free-core/language/expression/emitter.ts';
import { seeded } from '../../random.ts';
import { evaluate } from './oracle.ts';
import { randomExpression } from './random-expression.ts';
import { createWorld, fillWorld, pick, ROWS, type Value, type World } from './world.ts';

const EXPRESSIONS = 25_000;
/** In one function, so that temporaries of several expressions meet. */
const GROUP = 25;
const ROWS_EACH = 12;
const SEED = Number(process.env['HUNT_SEED'] ?? 20260601);

type Evaluator = (row: number, values: unknown[], conditions: boolean[]) => void;

/** Values as emitted; `undefined` where absent. Conditions: whether it is true. */
function compileGroup(world: World, expressions: readonly Expression[]): Evaluator {
  const emitter = createEmitter(world.plan, world.columns, world.dictionary);
  const pieces = expressions.map((expression, i) => {
    const isTrue = expression.type === 'bool' ? emitter.condition(expression) : null;
    const { setup, value, absent } = emitter(expression);
    const condition = isTrue === null ? '' : `{ ${isTrue.setup.join('\n')} conditions[${i}] = ${isTrue.value}; }`;
    return `{ ${setup.join('\n')} values[${i}] = ${absent === null ? value : `(${absent}) ? undefined : (${value})`}; } ${condition}`;
  });
  const body = `${emitter.declarations()}\nreturn (r, values, conditions) => {\n${pieces.join('\n')}\n};`;
  const names = new Set([...body.matchAll(/\bc(\d+)_([a-zA-Z0-9]+)\b/g)].map(([name]) => name));
  const columns = [...names].map((name) => `const ${name} = columns[${name.slice(1).replace('_', '].')};`);
  const make = new Function('columns', 'runtime', `'use strict';\n${columns.join('\n')}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => Evaluator;
  return make(world.columns, emitter.runtime);
}

function agrees(expected: Value, actual: unknown): boolean {
  if (expected === null) return actual === undefined;
  return Object.is(typeof expected === 'bigint' ? Number(expected) : expected, actual);
}

test(`${EXPRESSIONS} random expressions agree with the interpreter, seed=${SEED}`, { timeout: 120_000 }, () => {
  const random = seeded(SEED);
  const world = createWorld();
  const seen = { absent: 0, true: 0, false: 0, number: 0 };
  for (let done = 0; done < EXPRESSIONS; done += GROUP) {
    const expressions = Array.from({ length: GROUP }, () =>
      randomExpression(
        world,
        random,
        pick(random, ['bool', 'bool', 'bool', 'int', 'double'] as const),
        1 + Math.floor(random() * 4),
      ),
    );
    const evaluator = compileGroup(world, expressions);
    fillWorld(world, random);
    const first = Math.floor(random() * (ROWS - ROWS_EACH));
    for (let r = first; r < first + ROWS_EACH; r++) {
      const values: unknown[] = [];
      const conditions: boolean[] = [];
      evaluator(r, values, conditions);
      expressions.forEach((expression, i) => {
        const expected = evaluate(expression, world.rows[r]);
        if (!agrees(expected, values[i]) || (expression.type === 'bool' && conditions[i] !== (expected === true))) {
          const shown = JSON.stringify({
            expression,
            expected: String(expected),
            actual: String(values[i]),
            condition: conditions[i],
          });
          expect.fail(`seed=${SEED} expression=${done + i} row=${r} ${shown}`);
        }
        seen[
          expected === null
            ? 'absent'
            : typeof expected === 'boolean'
              ? (String(expected) as 'true' | 'false')
              : 'number'
        ]++;
      });
    }
  }
  // A fuzz test that only ever sees absent values would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(EXPRESSIONS / 2);
});
