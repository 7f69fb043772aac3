/** size(x): code points of a text, bytes of bytes, elements of a repeated field. */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import { type SqlContext, type SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import type { CallSite } from './call-site.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call, kindText, type Typed } from './typed.ts';

export const size: NumberFunction = {
  written: [
    {
      name: 'size',
      form: 'function',
      check,
      documentation: {
        syntax: 'size(x)',
        meaning: 'How many code points a text has, bytes a field of bytes, elements a repeated field.',
        example: ["size('abc')", '3'],
      },
    },
  ],
  repeats: 'exact',
  number: { kernel: emitKernel, sql: emitSql },
  phrase: calledFunction('size'),
};

const SIZE_MAX = 4294967295;

function check(site: CallSite): Typed | null {
  const [operand] = site.arguments;
  if (operand === undefined || site.arguments.length !== 1)
    return site.refuse('size takes a text, bytes or a repeated field: size(event.name)');
  const of = operand.check();
  if (of === null) return null;
  const { type } = of.expression;
  if (of.list !== true && type !== 'string' && type !== 'bytes')
    return operand.refuse(`size is of a text, bytes or a repeated field, this is ${kindText(of)}`);
  return { expression: call('int', 'size', [of.expression]) };
}

function emitKernel(context: EmitContext, { operands: [of] }: Call): NumberCode {
  const { access } = context;
  if (of.node === 'column' && access.column(of.column).shape !== 'scalar')
    return kernel.integerCode(`${access.array(of.column, 'counts')}[r]`, [], SIZE_MAX);
  const text = context.text(of);
  if (of.type === 'bytes') return kernel.integerCode(text.length, text.absent, SIZE_MAX);
  return kernel.integerCode(`$codePoints(${text.heap}, ${text.start}, ${text.length})`, text.absent, SIZE_MAX);
}

function emitSql(context: SqlContext, { operands: [of] }: Call): SqlNumber {
  if (of.node === 'column' && context.column(of.column).shape !== 'scalar')
    return sql.integerCode(`toInt64(length(${context.columnName(of.column)}))`, false, EXACT_LIMIT - 1);
  const text = context.text(of);
  const name = of.type === 'bytes' ? 'length' : 'lengthUTF8';
  return sql.integerCode(`toInt64(${name}(${text.sql}))`, text.nullable, EXACT_LIMIT - 1);
}
