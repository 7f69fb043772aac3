/** The functions of the language: what they take, what they give. Methods come with their receiver as first operand. */

import { LATER_FUNCTIONS } from '../later.ts';
import { nearest } from '../nearest.ts';
import type { Checking } from './checking.ts';
import type { ASTNode } from './syntax.ts';
import { checkDuration, checkTimePart, checkTimestamp, TIME_METHODS } from './time-functions.ts';
import { call, type Typed } from './typed.ts';

type CheckFunction = (c: Checking, node: ASTNode, operands: readonly ASTNode[]) => Typed | null;

const FUNCTIONS: ReadonlyMap<string, CheckFunction> = new Map<string, CheckFunction>([
  ['ratio', checkRatio],
  ['duration', checkDuration],
  ['timestamp', checkTimestamp],
  ...TIME_METHODS.map((name): [string, CheckFunction] => [
    name,
    (c, node, operands) => checkTimePart(c, node, name, operands),
  ]),
]);

export function checkFunction(c: Checking, node: ASTNode, name: string, operands: readonly ASTNode[]): Typed | null {
  const known = FUNCTIONS.get(name);
  if (known !== undefined) return known(c, node, operands);
  if (LATER_FUNCTIONS.has(name.split('.').at(-1)!)) return c.refuse(node, `not supported yet: function ${name}()`);
  return c.refuse(node, `unknown function: ${name}()`, nearest(name, ['has', ...FUNCTIONS.keys()]));
}

function checkRatio(c: Checking, node: ASTNode, operands: readonly ASTNode[]): Typed | null {
  const [first, second] = operands;
  if (first === undefined || second === undefined || operands.length !== 2)
    return c.refuse(node, 'ratio takes two numbers: ratio(a, b)');
  const a = c.number(first);
  const b = c.number(second);
  return a && b && { expression: call('double', 'ratio', [a.expression, b.expression]) };
}
