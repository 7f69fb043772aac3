/** Which values can be compared, for comparisons and for in: labels by their codes, dictionary columns by their ids. */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { nearest } from '../../base/nearest.ts';
import { call, isNumber, kindText, type LabelSet, type Typed } from './typed.ts';

type Refuse = (message: string, suggestion?: string) => null;

export interface ComparisonComplaints {
  readonly left: Refuse;
  readonly right: Refuse;
  readonly both: Refuse;
}

export interface MembershipComplaints {
  readonly value: Refuse;
  readonly member: (index: number, message: string, suggestion?: string) => null;
}

export function compareTyped(
  operator: ExpressionOperator,
  a: Typed,
  b: Typed,
  complaints: ComparisonComplaints,
): Typed | null {
  if (a.list === true || b.list === true)
    return complaints.both('a repeated field stands only on the right of in, or in has()');
  const result = (left: Expression, right: Expression): Typed => ({
    expression: call('bool', operator, [left, right]),
  });
  const ordering = operator !== 'eq' && operator !== 'ne';
  if (a.labels !== undefined || b.labels !== undefined) {
    if (ordering) return complaints.both('names have no order; compare them with == != or in');
    return compareLabels(a, b, complaints, result);
  }
  if (isNumber(a) && isNumber(b)) return result(a.expression, b.expression);
  if (a.expression.type !== b.expression.type)
    return complaints.both(`${kindText(a)} does not compare with ${kindText(b)}`);
  if (ordering && a.expression.type === 'bool') return complaints.both('true and false have no order');
  return result(a.expression, b.expression);
}

function compareLabels(
  a: Typed,
  b: Typed,
  complaints: ComparisonComplaints,
  result: (left: Expression, right: Expression) => Typed,
): Typed | null {
  if (a.labels !== undefined && b.labels !== undefined) {
    return a.labels.name === b.labels.name
      ? result(a.expression, b.expression)
      : complaints.both('these take different names');
  }
  if (a.labels !== undefined) {
    const code = codeOf(a.labels, b, complaints.right);
    return code && result(a.expression, code);
  }
  const code = codeOf(b.labels!, a, complaints.left);
  return code && result(code, b.expression);
}

/** The code of a name as a constant. */
function codeOf(labels: LabelSet, typed: Typed, refuse: Refuse): Expression | null {
  const { expression } = typed;
  if (expression.node !== 'constant' || typeof expression.value !== 'string') {
    return refuse(`${labels.name} compares with one of its names in quotes: ${someNames(labels)}`);
  }
  const code = labels.codes.get(expression.value);
  if (code === undefined) {
    const suggestion = nearest(expression.value, labels.codes.keys());
    return refuse(`${labels.name} is never '${expression.value}'; it is one of ${someNames(labels)}`, suggestion);
  }
  return { node: 'constant', type: 'int', value: code };
}

function someNames(labels: LabelSet): string {
  const names = [...labels.codes.keys()].filter((name) => name !== '').map((name) => `'${name}'`);
  return names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')}, …`;
}

/** `members`: constants, or one repeated field. */
export function memberTyped(value: Typed, members: readonly Typed[], complaints: MembershipComplaints): Typed | null {
  if (value.list === true) return complaints.value('one value is needed here, this is a list');
  const operands = members.map((member, i) =>
    memberOperand(value, member, (message, hint) => complaints.member(i, message, hint)),
  );
  if (operands.some((operand) => operand === null)) return null;
  const list = members[0]!;
  const sought =
    list.list === true && list.labels !== undefined && value.labels === undefined
      ? codeOf(list.labels, value, complaints.value)
      : value.expression;
  return sought && { expression: call('bool', 'in', [sought, ...(operands as Expression[])]) };
}

function memberOperand(value: Typed, member: Typed, refuse: Refuse): Expression | null {
  if (member.list === true) return listOperand(value, member, refuse);
  if (value.labels !== undefined) return codeOf(value.labels, member, refuse);
  const alike = (isNumber(value) && isNumber(member)) || value.expression.type === member.expression.type;
  return alike ? member.expression : refuse(`${kindText(value)} is never ${kindText(member)}`);
}

function listOperand(value: Typed, list: Typed, refuse: Refuse): Expression | null {
  const element: Typed = { ...list, list: false };
  if (list.labels !== undefined) return list.expression;
  if (value.expression.type === 'double' && element.expression.type !== 'double')
    return refuse('a fractional number is never in a list of integers');
  const alike = (isNumber(value) && isNumber(element)) || value.expression.type === element.expression.type;
  return alike && value.labels === undefined
    ? list.expression
    : refuse(`${kindText(value)} is never in a list of ${kindText(element)}`);
}
