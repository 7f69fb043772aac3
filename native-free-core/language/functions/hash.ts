/** hash(x): what of a value is hashed is said in base/murmur64.ts. */

import { EXACT_LIMIT } from '../exact-limit.ts';
import { isDictionary, type EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlCode, SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import type { CallSite } from './call-site.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call, kindText, type Typed } from './typed.ts';

export const hash: NumberFunction = {
  written: [
    {
      name: 'hash',
      form: 'function',
      check,
      documentation: {
        syntax: 'hash(x)',
        meaning:
          'A stable integer from 0 to 2^53 - 1 of a text, bytes, a number or a condition: in SQL `bitShiftRight(murmurHash3_64(x), 11)`, of an integer as Int64, of a double as Float64.',
        example: ["hash('a') == hash('a')", 'true'],
      },
    },
  ],
  repeats: 'exact',
  number: { kernel: emitKernel, sql: emitSql },
  phrase: calledFunction('hash'),
};

function check(site: CallSite): Typed | null {
  const [operand] = site.arguments;
  if (operand === undefined || site.arguments.length !== 1)
    return site.refuse('hash takes one value: hash(event.name)');
  const of = operand.check();
  if (of === null) return null;
  if (of.labels !== undefined || of.list === true)
    return operand.refuse(`hash takes a text, a number or a condition, this is ${kindText(of)}`);
  return { expression: call('int', 'hash', [of.expression]) };
}

function emitKernel(context: EmitContext, { operands: [of] }: Call): NumberCode {
  const code = (value: string, absent: readonly string[]): NumberCode =>
    kernel.integerCode(context.named(value), absent, EXACT_LIMIT - 1);
  if (of.type === 'string' || of.type === 'bytes' || isDictionary(context.access, of)) {
    const text = context.text(of);
    return code(`$hashText(${text.heap}, ${text.start}, ${text.length})`, text.absent);
  }
  if (of.type === 'bool') {
    const absent = context.absence(of);
    const flag = context.named(context.truth(of));
    return code(`$hashInteger(${flag} ? 1 : 0)`, absent === 'false' ? [] : [absent]);
  }
  const number = of.type === 'double' ? kernel.emitOperand(context, of) : context.number(of);
  if (number.words !== null) return code(`$hashWords(${number.words.low}, ${number.words.high})`, number.absent);
  if (number.integer) return code(`$hashInteger(${number.value})`, number.absent);
  return code(`$hashDouble(${number.value})`, number.absent);
}

function emitSql(context: SqlContext, { operands: [of] }: Call): SqlNumber {
  const hashed = (text: string): string => `toInt64(bitShiftRight(murmurHash3_64(${text}), 11))`;
  const code = (text: string, { nullable }: SqlCode): SqlNumber => sql.integerCode(text, nullable, EXACT_LIMIT - 1);
  if (of.type === 'string' || of.type === 'bytes') {
    const text = context.text(of);
    return code(hashed(text.sql), text);
  }
  if (of.type === 'bool') {
    const truth = context.truth(of);
    return code(hashed(`toInt64(${truth.sql})`), truth);
  }
  const number = sql.present(context, context.number(of));
  return code(hashed(number.type === 'Float64' ? `${number.sql} + 0.0` : `toInt64(${number.sql})`), number);
}
