/**
 * Expressions as JavaScript for one value of row `r`. Called by emitter.ts for keys, kernels and rules alike, so that
 * an expression means the same wherever it stands.
 */

import type { Expression } from '../../plan/plan.ts';
import type { ColumnAccess, EmitContext } from './emit-context.ts';
import type { NumberCode, TextCode } from './emitted-code.ts';
import { emitNumber } from './emit-number.ts';
import { emitText } from './emit-text.ts';
import { absentCondition, emitTruth, neverAbsent } from './emit-truth.ts';
import { present } from './operand.ts';

/** Longer conditions get a name, so that text which is used twice does not double at every level. */
const INLINE_LENGTH_MAX = 100;

/** Run `setup`, then `value` and `absent` (null: never absent) are expressions without side effects. */
export interface ExpressionCode {
  readonly setup: readonly string[];
  readonly value: string;
  readonly absent: string | null;
}

/** The value of an expression. Strings, bytes and dictionary values have none: they only stand in comparisons. */
export function emitExpression(expression: Expression, access: ColumnAccess): ExpressionCode {
  const context = createContext(access);
  if (expression.type === 'bool') {
    if (neverAbsent(context, expression))
      return { setup: context.setup, value: context.truth(expression), absent: null };
    const value = context.named(context.truth(expression));
    return { setup: context.setup, value, absent: `!${value} && !(${context.falsehood(expression)})` };
  }
  if (expression.type === 'string' || expression.type === 'bytes') throw new Error(`text has no value in emitted code`);
  const value = context.named(present(context, context.number(expression)).value);
  const absent = absentCondition(context, expression);
  return { setup: context.setup, value, absent: absent === 'false' ? null : absent };
}

/** Bytes of a text: run `setup`, then `length` bytes of `heap` from `start` on, until the next row is looked at. */
export interface TextValueCode {
  readonly setup: readonly string[];
  readonly heap: string;
  readonly start: string;
  readonly length: string;
  readonly absent: string | null;
}

/** The text of a string or bytes expression. */
export function emitTextValue(expression: Expression, access: ColumnAccess): TextValueCode {
  const context = createContext(access);
  const { heap, start, length, absent } = context.text(expression);
  return { setup: context.setup, heap, start, length, absent: absent.length === 0 ? null : absent.join(' || ') };
}

/** Whether an expression is true: what a rule and a `where` ask. Never absent. */
export function emitCondition(expression: Expression, access: ColumnAccess): ExpressionCode {
  const context = createContext(access);
  const value = context.truth(expression);
  return { setup: context.setup, value, absent: null };
}

function createContext(access: ColumnAccess): EmitContext {
  const truths = new Map<Expression, string>();
  const falsehoods = new Map<Expression, string>();
  const numbers = new Map<Expression, NumberCode>();
  const texts = new Map<Expression, TextCode>();
  const names = new Map<string, string>();
  const setup: string[] = [];
  const named = (value: string): string => {
    if (/^(true|false|\$?\w+)$/.test(value)) return value;
    let name = names.get(value);
    if (name === undefined) {
      name = access.temporary();
      names.set(value, name);
      setup.push(`const ${name} = ${value};`);
    }
    return name;
  };
  const short = (value: string): string => (value.length > INLINE_LENGTH_MAX ? named(value) : value);
  const context: EmitContext = {
    access,
    setup,
    named,
    truth: (e) => once(truths, e, () => short(emitTruth(context, e, true))),
    falsehood: (e) => once(falsehoods, e, () => short(emitTruth(context, e, false))),
    number: (e) => once(numbers, e, () => shortNumber(emitNumber(context, e), short)),
    text: (e) => once(texts, e, () => emitText(context, e)),
    absence: (e) => absentCondition(context, e),
    neverAbsent: (e) => neverAbsent(context, e),
  };
  return context;
}

function shortNumber(code: NumberCode, short: (value: string) => string): NumberCode {
  return { ...code, value: short(code.value), absent: code.absent.map(short) };
}

function once<T>(memory: Map<Expression, T>, expression: Expression, emit: () => T): T {
  let code = memory.get(expression);
  if (code === undefined) {
    code = emit();
    memory.set(expression, code);
  }
  return code;
}
