/** `/ %` and ratio(). Integers by 0 are absent, and so is what ratio() divides by 0. */

import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { checkArithmetic } from './arithmetic.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction, infix, PRODUCT } from './phrase.ts';
import { doubleForm } from './double-form.ts';

export const div: NumberFunction = {
  written: [
    {
      name: '/',
      form: 'operator',
      check: (site) => checkArithmetic(site, 'div'),
      documentation: {
        syntax: 'a / b',
        meaning:
          'The quotient. Of two integers it is an integer, cut off towards 0, and absent where b is 0. A double divided by 0 is absent, too.',
        example: ['-7 / 2', '-3'],
      },
    },
  ],
  repeats: 'exact',
  number: { kernel: (context, call) => emitKernel(context, call, '/'), sql: emitSql },
  phrase: infix('/', PRODUCT),
};

export const mod: NumberFunction = {
  written: [
    {
      name: '%',
      form: 'operator',
      check: (site) => checkArithmetic(site, 'mod'),
      documentation: {
        syntax: 'a % b',
        meaning: 'The rest of the division of two integers; it has the sign of a. Absent where b is 0.',
        example: ['-7 % 2', '-1'],
      },
    },
  ],
  repeats: 'exact',
  number: { kernel: (context, call) => emitKernel(context, call, '%'), sql: emitSql },
  phrase: infix('%', PRODUCT),
};

export const ratio: NumberFunction = {
  written: [
    doubleForm('ratio', 'ratio', 2, 'ratio takes two numbers: ratio(a, b)', {
      syntax: 'ratio(a, b)',
      meaning: 'a divided by b as a double, of integers too. Absent where b is 0.',
      example: ['ratio(1, 4)', '0.25'],
    }),
  ],
  repeats: 'exact',
  number: { kernel: (context, call) => emitKernel(context, call, '/'), sql: emitRatioSql },
  phrase: calledFunction('ratio'),
};

function emitKernel(context: EmitContext, { operator, operands }: Call, sign: string): NumberCode {
  const a = kernel.emitLoose(context, operands[0]);
  const b = kernel.emitOperand(context, operands[1]);
  const integer = operator !== 'ratio' && a.integer && b.integer;
  const constant = /^\(?-?[\d.e+-]+\)?$/.test(b.value);
  const divisor = constant ? b.value : context.named(b.value);
  const byZero = integer || operator === 'ratio' ? zeroCondition(divisor, constant) : [];
  const absent = [...a.absent, ...b.absent, ...byZero];
  const quotient = `(${a.value} ${sign} ${divisor})`;
  // Of two integers the quotient is finite, as it is where ratio() makes doubles of them.
  if (!integer) return kernel.doubleCode(quotient, absent, !a.integer || !b.integer);
  // Below 2^53 the rounded quotient never reaches the next integer, so truncating it is exact.
  if (operator === 'div') return kernel.integerCode(`(Math.trunc${quotient} + 0)`, absent, a.bound);
  return kernel.integerCode(`(${quotient} + 0)`, absent, Math.min(a.bound, b.bound));
}

function zeroCondition(divisor: string, constant: boolean): string[] {
  if (!constant) return [`${divisor} === 0`];
  return Number(divisor.replace(/[()]/g, '')) === 0 ? ['true'] : [];
}

function emitSql(context: SqlContext, { operator, operands }: Call): SqlNumber {
  const a = sql.emitLoose(context, operands[0]);
  const b = sql.emitLoose(context, operands[1]);
  if (a.type === 'Float64' || b.type === 'Float64') {
    if (operator === 'mod') throw new Error('% is for integers: ClickHouse takes the rest of doubles its own way');
    const divisor = sql.present(context, b);
    return sql.doubleCode(`(${sql.asDouble(a)} / ${sql.asDouble(divisor)})`, a.nullable || divisor.nullable, true);
  }
  // By zero is absent; …OrZero, since ClickHouse computes under a NULL as well and plain intDiv throws there.
  const [name, bound] = operator === 'div' ? ['intDivOrZero', a.bound] : ['moduloOrZero', Math.min(a.bound, b.bound)];
  return sql.integerCode(`${name}(${a.sql}, nullIf(${b.sql}, 0))`, true, bound);
}

function emitRatioSql(context: SqlContext, { operands }: Call): SqlNumber {
  const a = sql.emitLoose(context, operands[0]);
  const b = sql.emitLoose(context, operands[1]);
  const wild = a.type === 'Float64' || b.type === 'Float64';
  return sql.doubleCode(`(${sql.asDouble(a)} / nullIf(${sql.asDouble(sql.present(context, b))}, 0.0))`, true, wild);
}
