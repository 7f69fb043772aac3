/** Functions of texts: beginnings, ends, parts, patterns and sizes. */

import type { ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { compilePattern } from '../../../native-free-core/language/pattern/automaton.ts';
import { PatternProblem } from '../../../native-free-core/language/pattern/parse.ts';
import type { Checking } from './checking.ts';
import type { ASTNode } from './syntax.ts';
import { call, kindText, type Typed } from './typed.ts';

type Operands = readonly ASTNode[];

export function checkTextPair(
  c: Checking,
  node: ASTNode,
  name: string,
  operator: ExpressionOperator,
  operands: Operands,
): Typed | null {
  const [text, part] = operands;
  if (text === undefined || part === undefined || operands.length !== 2)
    return c.refuse(node, `${name} takes one text: event.name.${name}('a')`);
  const a = checkText(c, text);
  const b = checkText(c, part);
  return a && b && { expression: call('bool', operator, [a.expression, b.expression]) };
}

function checkText(c: Checking, node: ASTNode): Typed | null {
  const typed = c.any(node);
  if (typed === null) return null;
  if (typed.expression.type === 'string' && typed.list !== true) return typed;
  return c.refuse(node, `a text is needed here, this is ${kindText(typed)}`);
}

/** The part is a constant: looking for one event's text in another takes time that nothing bounds. */
export function checkContains(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  const typed = checkTextPair(c, node, 'contains', 'contains', operands);
  if (typed === null || operands[1]!.op === 'value') return typed;
  return c.refuse(operands[1]!, `contains takes a text in quotes: event.name.contains('a')`);
}

export function checkMatches(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  const typed = checkTextPair(c, node, 'matches', 'matches', operands);
  if (typed === null) return null;
  const pattern = operands[1]!;
  if (pattern.op !== 'value' || typeof pattern.args !== 'string')
    return c.refuse(pattern, `a pattern is a text in quotes: event.name.matches('^a+$')`);
  try {
    compilePattern(pattern.args);
    return typed;
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return c.refuse(pattern, `not a pattern, at its character ${error.at + 1}: ${error.message}`);
  }
}

/** Code points of a text, bytes of bytes, elements of a repeated field. */
export function checkSize(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  const [operand] = operands;
  if (operand === undefined || operands.length !== 1)
    return c.refuse(node, 'size takes a text, bytes or a repeated field: size(event.name)');
  const of = c.any(operand);
  if (of === null) return null;
  const { type } = of.expression;
  if (of.list !== true && type !== 'string' && type !== 'bytes')
    return c.refuse(operand, `size is of a text, bytes or a repeated field, this is ${kindText(of)}`);
  return { expression: call('int', 'size', [of.expression]) };
}
