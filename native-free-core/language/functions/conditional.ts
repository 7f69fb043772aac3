/** `condition ? a : b`: a number, a text or a condition. Absent where the condition is. */

import type { Expression } from '../../plan/plan.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode, TextCode } from '../expression/emitted-code.ts';
import { bothSides, operandsNeverAbsent } from '../expression/condition.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlCode, SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { conditionOf, type CallSite } from './call-site.ts';
import type { GenericFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { CHOICE, OR } from './phrase.ts';
import { call, isNumber, isWideLiteral, kindText, type Typed } from './typed.ts';

export const conditional: GenericFunction = {
  written: [
    {
      name: '?:',
      form: 'operator',
      check,
      documentation: {
        syntax: 'condition ? a : b',
        meaning:
          'a where the condition is true, b where it is false, absent where it is absent. Both are of one type; an integer beside a double becomes a double.',
        example: ["1 < 2 ? 'yes' : 'no'", "'yes'"],
      },
    },
  ],
  repeats: 'exact',
  number: { kernel: numberKernel, sql: numberSql },
  text: { kernel: textKernel, sql: textSql },
  condition: {
    kernel: (context, { operands: [condition, first, second] }, wanted) => {
      const side = (of: Expression): string => (wanted ? context.truth(of) : context.falsehood(of));
      const [yes, no] = bothSides(context, condition);
      return `(${yes} && ${side(first)} || ${no} && ${side(second)})`;
    },
    neverAbsent: operandsNeverAbsent,
    sql: (context, { operands: [condition, first, second] }) => {
      const [yes, no] = [context.truth(first), context.truth(second)];
      const chosen = sql.emitChoice(context, condition, yes.sql, no.sql);
      return { ...chosen, nullable: chosen.nullable || yes.nullable || no.nullable };
    },
    compound: 'conditional',
  },
  phrase: ({ operands: [condition, first, second] }, { write }) => [
    `${write(condition, OR)} ? ${write(first, OR)} : ${write(second, CHOICE)}`,
    CHOICE,
  ],
};

function check(site: CallSite): Typed | null {
  const [condition, first, second] = site.arguments;
  const asked = conditionOf(condition);
  const a = first.check();
  const b = second.check();
  if (asked === null || a === null || b === null) return null;
  for (const [typed, at] of [
    [a, first],
    [b, second],
  ] as const) {
    if (typed.labels !== undefined || typed.list === true)
      return at.refuse(`not supported yet: choosing ${kindText(typed)}; compare it in each branch instead`);
    if (isWideLiteral(typed)) return at.refuse('an integer beyond 2^53 can be compared, not chosen');
  }
  const type =
    isNumber(a) && isNumber(b) && a.expression.type !== b.expression.type
      ? [a.expression.type, b.expression.type].includes('double')
        ? 'double'
        : 'int'
      : a.expression.type;
  if (type !== b.expression.type && !(isNumber(a) && isNumber(b)))
    return site.refuse(`both branches must be alike: one is ${kindText(a)}, one is ${kindText(b)}`);
  return { expression: call(type, 'conditional', [asked.expression, a.expression, b.expression]) };
}

function numberKernel(context: EmitContext, { type, operands }: Call): NumberCode {
  const [yes, no] = bothSides(context, operands[0]);
  const a = kernel.emitLoose(context, operands[1]);
  const b = kernel.emitLoose(context, operands[2]);
  return {
    value: `(${yes} ? ${a.value} : ${b.value})`,
    absent: kernel.chosenAbsent(yes, no, a.absent, b.absent),
    bound: Math.max(a.bound, b.bound),
    integer: type !== 'double',
    wild: a.wild || b.wild,
    words: null,
  };
}

function textKernel(context: EmitContext, { operands }: Call): TextCode {
  const [yes, no] = bothSides(context, operands[0]);
  const a = context.text(operands[1]);
  const b = context.text(operands[2]);
  return {
    heap: `(${yes} ? ${a.heap} : ${b.heap})`,
    start: `(${yes} ? ${a.start} : ${b.start})`,
    length: `(${yes} ? ${a.length} : ${b.length})`,
    absent: kernel.chosenAbsent(yes, no, a.absent, b.absent),
  };
}

function numberSql(context: SqlContext, { type, operands: [condition, first, second] }: Call): SqlNumber {
  const a = sql.emitLoose(context, first);
  const b = sql.emitLoose(context, second);
  const double = type === 'double';
  const side = (code: SqlNumber): string => (double ? sql.asDouble(code) : code.sql);
  const chosen = sql.emitChoice(context, condition, side(a), side(b));
  const nullable = chosen.nullable || a.nullable || b.nullable;
  const wild = a.wild === true || b.wild === true;
  return double
    ? sql.doubleCode(chosen.sql, nullable, wild)
    : sql.integerCode(chosen.sql, nullable, Math.max(a.bound, b.bound));
}

function textSql(context: SqlContext, { operands: [condition, first, second] }: Call): SqlCode {
  const [a, b] = [context.text(first), context.text(second)];
  const chosen = sql.emitChoice(context, condition, a.sql, b.sql);
  return { ...chosen, nullable: chosen.nullable || a.nullable || b.nullable };
}
