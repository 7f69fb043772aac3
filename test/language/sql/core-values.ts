/** What the core's emitter says of many expressions, as one compiled function. */

import type { Column } from '../../../native-free-core/layout/column.ts';
import type { Expression, Plan } from '../../../native-free-core/plan/plan.ts';
import { createEmitter } from '../../../native-free-core/language/expression/emitter.ts';
import type { Value, World } from '../expression/world.ts';

export type Evaluator = (row: number, values: (Value | undefined)[]) => void;

/** Values as the core emits them; `undefined` where absent. */
export function compileGroup(world: World, plan: Plan, expressions: readonly Expression[]): Evaluator {
  const emitter = createEmitter(plan, world.columns, world.dictionary);
  const pieces = expressions.map((expression, i) => {
    if (expression.type === 'string' || expression.type === 'bytes') {
      const { setup, heap, start, length, absent } = emitter.text(expression);
      const bytes = `(() => { const s = ${start}; return (${heap}).slice(s, s + ${length}); })()`;
      return `{ ${setup.join('\n')} values[${i}] = ${absent === null ? bytes : `(${absent}) ? undefined : ${bytes}`}; }`;
    }
    const { setup, value, absent } = emitter(expression);
    return `{ ${setup.join('\n')} values[${i}] = ${absent === null ? value : `(${absent}) ? undefined : (${value})`}; }`;
  });
  const body = `${emitter.declarations()}\nreturn (r, values) => {\n${pieces.join('\n')}\n};`;
  const names = new Set([...body.matchAll(/\bc(\d+)_([a-zA-Z0-9]+)\b/g)].map(([name]) => name));
  const columns = [...names].map((name) => `const ${name} = columns[${name.slice(1).replace('_', '].')};`);
  const make = new Function('columns', 'runtime', `'use strict';\n${columns.join('\n')}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => Evaluator;
  return make(world.columns, emitter.runtime);
}
