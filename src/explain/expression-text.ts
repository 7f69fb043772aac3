/**
 * Expressions as the pipeline file would write them, by the names of their columns: so that each part of a rule can be shown
 * with its value. Names that the compiler replaced (`derived` constants, labels) come back as what they stand for.
 */

import { KINDS } from '../../native-free-core/language/kinds/index.ts';
import { FUNCTIONS } from '../../native-free-core/language/functions/index.ts';
import { methodPhrase, PRIMARY, type Phrase, type Writer } from '../../native-free-core/language/functions/phrase.ts';
import { withoutUtc } from '../../native-free-core/language/functions/time-parts.ts';
import { columnAt, type ColumnPlan, type Expression, type Plan } from '../../native-free-core/plan/plan.ts';
import type { Names } from './pipeline-names.ts';

type Constant = Extract<Expression, { node: 'constant' }>;

export type ExpressionText = (expression: Expression) => string;

export function expressionTexts(plan: Plan, names: Names): ExpressionText {
  const known = new Map<Expression, Phrase>();
  const columnText = (index: number): Phrase => {
    const name = names.columns.get(index);
    if (name !== undefined) return [name, PRIMARY];
    // What the compiler stored for itself reads as what it stored.
    const made = plan.computed?.find(({ column }) => column === index);
    return made === undefined ? [columnAt(plan, index).name, PRIMARY] : write(made.expression);
  };
  const write = (expression: Expression): Phrase => {
    let text = known.get(expression);
    if (text !== undefined) return text;
    if (expression.node === 'constant') text = [constantText(expression), PRIMARY];
    else if (expression.node === 'column') text = columnText(expression.column);
    else text = FUNCTIONS[expression.operator].phrase(expression, writer);
    known.set(expression, text);
    return text;
  };
  const writer = writerOf(plan, write);
  return (expression) => write(expression)[0];
}

function writerOf(plan: Plan, phrase: (expression: Expression) => Phrase): Writer {
  return {
    write: (expression, least) => {
      const [text, strength] = phrase(expression);
      return strength < least ? `(${text})` : text;
    },
    labelled: (operands) => withLabels(plan, operands),
    lessOne(expression) {
      if (expression.node !== 'call') return null;
      const form = FUNCTIONS[expression.operator].written.find(({ isLessOne }) => isLessOne === true);
      return form === undefined ? null : methodPhrase(form.name, withoutUtc(expression.operands), this);
    },
  };
}

/** Codes of event types, arms and enums as their names, where the other side of a comparison says which. */
function withLabels(plan: Plan, operands: readonly Expression[]): readonly Expression[] {
  const labelled = operands.flatMap((one) => (one.node === 'column' ? [columnAt(plan, one.column)] : []));
  const column = labelled.find((one) => KINDS[one.kind].names(one) !== null);
  if (column === undefined) return operands;
  return operands.map((one): Expression => {
    const label = one.node === 'constant' && one.type === 'int' ? labelOf(column, Number(one.value)) : undefined;
    return label === undefined ? one : { node: 'constant', type: 'string', value: label };
  });
}

function labelOf(column: ColumnPlan, code: number): string | undefined {
  return KINDS[column.kind].names(column)?.find(([number]) => number === code)?.[1];
}

function constantText({ type, value, exact }: Constant): string {
  if (type === 'time') return `timestamp('${new Date(Number(value)).toISOString()}')`;
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
  if (type === 'double') return doubleText(Number(value));
  return exact ?? String(value);
}

function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
