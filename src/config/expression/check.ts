/**
 * From CEL's syntax tree to the typed expression that the core compiles: names become columns, labels become codes,
 * types are checked. Every problem is reported at its own character.
 */

import { lookup } from '../../../native-free-core/base/lookup.ts';
import type { ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { nearest } from '../nearest.ts';
import type { Checking, Complain } from './checking.ts';
import { compareTyped, memberTyped } from './compare.ts';
import { checkFunction } from './functions.ts';
import { constantOf, negated } from './literal.ts';
import { resolveName, type Scope } from './scope.ts';
import { isSyntaxProblem, parseExpression, pathOf, type ASTNode } from './syntax.ts';
import { call, isNumber, isWide, kindText, type Typed } from './typed.ts';

interface Check {
  readonly scope: Scope;
  readonly complain: Complain;
}

/** null after at least one complaint. */
export function checkExpression(text: string, scope: Scope, complain: Complain): Typed | null {
  const parsed = parseExpression(text);
  if (isSyntaxProblem(parsed)) {
    complain(parsed.at, parsed.message);
    return null;
  }
  const typed = check({ scope, complain }, parsed);
  if (typed?.list === true)
    return refuse({ scope, complain }, parsed, 'a repeated field stands only on the right of in, or in has()');
  return typed;
}

function refuse(c: Check, node: ASTNode, message: string, suggestion?: string): null {
  c.complain(node.start, message, suggestion);
  return null;
}

function check(c: Check, node: ASTNode): Typed | null {
  switch (node.op) {
    case 'value':
      return constantOf(node.args, (message) => refuse(c, node, message));
    case 'id':
    case '.':
      return checkName(c, node);
    case '||':
    case '&&':
      return checkLogic(c, node.args, node.op === '&&' ? 'and' : 'or');
    case '!_': {
      const of = checkCondition(c, node.args);
      return of && { expression: call('bool', 'not', [of.expression]) };
    }
    case '-_':
      return checkNegation(c, node.args);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return checkArithmetic(c, node.op, node.args);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return checkComparison(c, node, node.op, node.args);
    case 'in':
      return checkMembership(c, node, node.args);
    case '?:':
      return checkConditional(c, node, node.args);
    case 'call':
      return checkCall(c, node, node.args[0], node.args[1]);
    case 'rcall':
      return checkMethod(c, node, node.args[0], node.args[1], node.args[2]);
    case 'list':
      return refuse(c, node, 'a list stands only on the right of in');
    case 'map':
    case '[]':
    case '[?]':
    case '.?':
      return refuse(c, node, 'not supported yet: maps and indices');
    default:
      return refuse(c, node, 'not supported yet: this part of CEL');
  }
}

function checkName(c: Check, node: ASTNode): Typed | null {
  const parts = pathOf(node);
  if (parts === null) return refuse(c, node, 'a field can only be taken of event or an entity');
  const resolved = resolveName(c.scope, parts);
  if (resolved === null) return null;
  return 'expression' in resolved ? resolved : refuse(c, node, resolved.message, resolved.suggestion);
}

function checkCondition(c: Check, node: ASTNode): Typed | null {
  const typed = check(c, node);
  if (typed === null || (typed.expression.type === 'bool' && typed.list !== true)) return typed;
  return refuse(c, node, `a condition is needed here, this is ${kindText(typed)}`);
}

function checkLogic(c: Check, [left, right]: readonly [ASTNode, ASTNode], operator: 'and' | 'or'): Typed | null {
  const a = checkCondition(c, left);
  const b = checkCondition(c, right);
  return a && b && { expression: call('bool', operator, [a.expression, b.expression]) };
}

function checkNumber(c: Check, node: ASTNode): Typed | null {
  const typed = check(c, node);
  if (typed === null) return null;
  if (!isNumber(typed) || typed.list === true)
    return refuse(c, node, `a number is needed here, this is ${kindText(typed)}`);
  if (isWide(typed)) return refuse(c, node, 'an integer beyond 2^53 can be compared, not calculated with');
  return typed;
}

function checkNegation(c: Check, node: ASTNode): Typed | null {
  if (node.op === 'value') {
    const constant = negated(node.args);
    if (constant !== null) return constant;
  }
  const of = checkNumber(c, node);
  return of && { expression: call(of.expression.type === 'double' ? 'double' : 'int', 'neg', [of.expression]) };
}

const ARITHMETIC: Readonly<Record<string, ExpressionOperator>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
};

function checkArithmetic(c: Check, sign: string, [left, right]: readonly [ASTNode, ASTNode]): Typed | null {
  const a = checkNumber(c, left);
  const b = checkNumber(c, right);
  if (a === null || b === null) return null;
  const isDouble = a.expression.type === 'double' || b.expression.type === 'double';
  if (isDouble && sign === '%') return refuse(c, left, '% is for integers');
  return { expression: call(isDouble ? 'double' : 'int', lookup(ARITHMETIC, sign)!, [a.expression, b.expression]) };
}

const COMPARISONS: Readonly<Record<string, ExpressionOperator>> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

function checkComparison(
  c: Check,
  node: ASTNode,
  sign: string,
  [left, right]: readonly [ASTNode, ASTNode],
): Typed | null {
  const a = check(c, left);
  const b = check(c, right);
  if (a === null || b === null) return null;
  return compareTyped(lookup(COMPARISONS, sign)!, a, b, {
    left: (message, suggestion) => refuse(c, left, message, suggestion),
    right: (message, suggestion) => refuse(c, right, message, suggestion),
    both: (message) => refuse(c, node, message),
  });
}

function checkMembership(c: Check, node: ASTNode, [left, right]: readonly [ASTNode, ASTNode]): Typed | null {
  const value = check(c, left);
  const [prefix, ...names] = pathOf(right) ?? [];
  if (prefix === 'list') return checkKeyList(c, left, value, right, names.join('.'));
  if (right.op !== 'list') {
    const list = check(c, right);
    if (value === null || list === null) return null;
    if (list.list !== true)
      return refuse(c, right, 'on the right of in stands a list such as [1, 2], or a repeated field');
    return memberTyped(value, [list], {
      value: (message, suggestion) => refuse(c, left, message, suggestion),
      member: (_, message, suggestion) => refuse(c, right, message, suggestion),
    });
  }
  if (right.args.length === 0) return refuse(c, right, 'nothing is in an empty list');
  const members = right.args.map((member) => checkMember(c, member));
  if (value === null || members.some((member) => member === null)) return null;
  return memberTyped(value, members as Typed[], {
    value: (message, suggestion) => refuse(c, left, message, suggestion),
    member: (i, message, suggestion) => refuse(c, right.args[i] ?? node, message, suggestion),
  });
}

/** `in list.<name>`. */
function checkKeyList(c: Check, left: ASTNode, value: Typed | null, right: ASTNode, name: string): Typed | null {
  const type = c.scope.lists.get(name);
  if (type === undefined) return refuse(c, right, `unknown list: list.${name}`, nearestList(c, name));
  if (value === null) return null;
  const fits = value.expression.type === type && value.labels === undefined && value.list !== true;
  if (!fits) return refuse(c, left, `list.${name} is of type ${type}, this is ${kindText(value)}`);
  const operands = [value.expression, { node: 'constant', type: 'string', value: name } as const];
  return { expression: call('bool', 'in_list', operands) };
}

function nearestList(c: Check, name: string): string | undefined {
  return nearest(
    `list.${name}`,
    [...c.scope.lists.keys()].map((known) => `list.${known}`),
  );
}

function checkMember(c: Check, node: ASTNode): Typed | null {
  const typed = check(c, node);
  if (typed === null || typed.expression.node === 'constant') return typed;
  return refuse(c, node, 'the list on the right of in holds constants');
}

function checkConditional(
  c: Check,
  node: ASTNode,
  [condition, first, second]: readonly [ASTNode, ASTNode, ASTNode],
): Typed | null {
  const asked = checkCondition(c, condition);
  const a = check(c, first);
  const b = check(c, second);
  if (asked === null || a === null || b === null) return null;
  for (const [typed, at] of [
    [a, first],
    [b, second],
  ] as const) {
    if (typed.labels !== undefined || typed.list === true) {
      return refuse(c, at, `not supported yet: choosing ${kindText(typed)}; compare it in each branch instead`);
    }
    if (isWide(typed)) return refuse(c, at, 'an integer beyond 2^53 can be compared, not chosen');
  }
  const type =
    isNumber(a) && isNumber(b) && a.expression.type !== b.expression.type
      ? [a.expression.type, b.expression.type].includes('double')
        ? 'double'
        : 'int'
      : a.expression.type;
  if (type !== b.expression.type && !(isNumber(a) && isNumber(b))) {
    return refuse(c, node, `both branches must be alike: one is ${kindText(a)}, one is ${kindText(b)}`);
  }
  return { expression: call(type, 'conditional', [asked.expression, a.expression, b.expression]) };
}

function checkCall(c: Check, node: ASTNode, name: string, operands: readonly ASTNode[]): Typed | null {
  return name === 'has' ? checkHas(c, node, operands) : checkFunction(checking(c), node, name, operands);
}

/** `a.f(b)` is f(a, b), except for functions with a dot in their name: geo.distance(…). */
function checkMethod(
  c: Check,
  node: ASTNode,
  name: string,
  receiver: ASTNode,
  operands: readonly ASTNode[],
): Typed | null {
  if (receiver.op === 'id' && receiver.args === 'geo') return checkFunction(checking(c), node, `geo.${name}`, operands);
  return checkFunction(checking(c), node, name, [receiver, ...operands]);
}

function checking(c: Check): Checking {
  return {
    scope: c.scope,
    any: (node) => check(c, node),
    number: (node) => checkNumber(c, node),
    refuse: (node, message, suggestion) => refuse(c, node, message, suggestion),
  };
}

/** has(event.dig) asks whether the event is a dig. */
function checkHas(c: Check, node: ASTNode, operands: readonly ASTNode[]): Typed | null {
  const [operand] = operands;
  if (operand === undefined || operands.length !== 1 || pathOf(operand) === null) {
    return refuse(c, node, 'has takes one field or feature: has(event.lat)');
  }
  const parts = pathOf(operand)!;
  const { message } = c.scope;
  const field = parts[0] === 'event' ? message.fields.get(parts.slice(1).join('.')) : undefined;
  if (field?.type === 'message' && field.branch > 0) {
    const column = { node: 'column', type: 'int', column: message.typeColumn } as const;
    const code = { node: 'constant', type: 'int', value: field.branch } as const;
    return { expression: call('bool', 'eq', [column, code]) };
  }
  const typed = check(c, operand);
  return typed && { expression: call('bool', 'has', [typed.expression]) };
}
