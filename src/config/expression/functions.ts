/** The functions of the language: what they take, what they give. Methods come with their receiver as first operand. */

import type { Expression, ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { LATER_FUNCTIONS } from '../later.ts';
import { nearest } from '../nearest.ts';
import type { Checking } from './checking.ts';
import type { ASTNode } from './syntax.ts';
import { checkContains, checkMatches, checkSize, checkTextPair } from './text-functions.ts';
import { checkDuration, checkTimePart, checkTimestamp, TIME_METHODS } from './time-functions.ts';
import { call, kindText, type Typed } from './typed.ts';

type Operands = readonly ASTNode[];
type CheckFunction = (c: Checking, node: ASTNode, operands: Operands) => Typed | null;

const FUNCTIONS: ReadonlyMap<string, CheckFunction> = new Map<string, CheckFunction>([
  ['ratio', doubleFunction('ratio', 2, 'ratio takes two numbers: ratio(a, b)')],
  ['floor', doubleFunction('floor', 1, 'floor takes one number: floor(a)')],
  ['ceil', doubleFunction('ceil', 1, 'ceil takes one number: ceil(a)')],
  ['sqrt', doubleFunction('sqrt', 1, 'sqrt takes one number: sqrt(a)')],
  ['log', doubleFunction('log', 1, 'log takes one number, of which it is the natural logarithm: log(a)')],
  ['exp', doubleFunction('exp', 1, 'exp takes one number: exp(a)')],
  ['pow', doubleFunction('pow', 2, 'pow takes two numbers, base and exponent: pow(a, b)')],
  ['double', doubleFunction('to_double', 1, 'double takes one number: double(a)')],
  [
    'geo.distance',
    doubleFunction('geo_distance', 4, 'geo.distance takes two points in degrees: geo.distance(lat1, lon1, lat2, lon2)'),
  ],
  ['geo.tile', checkTile],
  ['abs', checkAbsolute],
  ['int', checkInteger],
  ['min', (c, node, operands) => checkExtreme(c, node, 'min', operands)],
  ['max', (c, node, operands) => checkExtreme(c, node, 'max', operands)],
  ['hash', checkHash],
  ['size', checkSize],
  ['startsWith', (c, node, operands) => checkTextPair(c, node, 'startsWith', 'starts_with', operands)],
  ['endsWith', (c, node, operands) => checkTextPair(c, node, 'endsWith', 'ends_with', operands)],
  ['contains', checkContains],
  ['matches', checkMatches],
  ['duration', checkDuration],
  ['timestamp', checkTimestamp],
  ...TIME_METHODS.map((name): [string, CheckFunction] => [
    name,
    (c, node, operands) => checkTimePart(c, node, name, operands),
  ]),
]);

export function checkFunction(c: Checking, node: ASTNode, name: string, operands: Operands): Typed | null {
  const known = FUNCTIONS.get(name);
  if (known !== undefined) return known(c, node, operands);
  if (LATER_FUNCTIONS.has(name)) return c.refuse(node, `not supported yet: function ${name}()`);
  return c.refuse(node, `unknown function: ${name}()`, nearest(name, ['has', ...FUNCTIONS.keys()]));
}

/** Of so many numbers, a double. */
function doubleFunction(operator: ExpressionOperator, count: number, usage: string): CheckFunction {
  return (c, node, operands) => {
    if (operands.length !== count) return c.refuse(node, usage);
    const numbers = numbersOf(c, operands);
    return numbers && { expression: call('double', operator, numbers) };
  };
}

/** null where one is no number. */
function numbersOf(c: Checking, operands: Operands): Expression[] | null {
  const checked = operands.map((operand) => c.number(operand));
  const numbers = checked.flatMap((typed) => (typed === null ? [] : [typed.expression]));
  return numbers.length === operands.length ? numbers : null;
}

function checkAbsolute(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  if (operands.length !== 1) return c.refuse(node, 'abs takes one number: abs(a)');
  const numbers = numbersOf(c, operands);
  return numbers && { expression: call(numbers[0]!.type === 'double' ? 'double' : 'int', 'abs', numbers) };
}

function checkInteger(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  if (operands.length !== 1) return c.refuse(node, 'int takes one number, whose fraction it drops: int(a)');
  const numbers = numbersOf(c, operands);
  if (numbers === null) return null;
  // CEL's int(timestamp) counts seconds; times count milliseconds here, so neither is meant by silence.
  if (numbers[0]!.type === 'time')
    return c.refuse(operands[0]!, 'a time counts in milliseconds already; subtract one from another');
  return { expression: call('int', 'to_int', numbers) };
}

function checkExtreme(c: Checking, node: ASTNode, operator: 'min' | 'max', operands: Operands): Typed | null {
  if (operands.length < 2) return c.refuse(node, `${operator} takes two numbers or more: ${operator}(a, b)`);
  const numbers = numbersOf(c, operands);
  if (numbers === null) return null;
  const type = numbers.some((number) => number.type === 'double') ? 'double' : 'int';
  return { expression: call(type, operator, numbers) };
}

function checkHash(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  const [operand] = operands;
  if (operand === undefined || operands.length !== 1) return c.refuse(node, 'hash takes one value: hash(event.name)');
  const of = c.any(operand);
  if (of === null) return null;
  if (of.labels !== undefined || of.list === true)
    return c.refuse(operand, `hash takes a text, a number or a condition, this is ${kindText(of)}`);
  return { expression: call('int', 'hash', [of.expression]) };
}

const PRECISION_MAX = 12;

function checkTile(c: Checking, node: ASTNode, operands: Operands): Typed | null {
  const [latitude, longitude, precision] = operands;
  if (latitude === undefined || longitude === undefined || precision === undefined || operands.length !== 3)
    return c.refuse(node, 'geo.tile takes a point in degrees and a precision: geo.tile(lat, lon, 6)');
  const numbers = numbersOf(c, [latitude, longitude]);
  const digits = c.any(precision)?.expression;
  if (numbers === null || digits === undefined) return null;
  const isRight = digits.node === 'constant' && digits.type === 'int';
  if (!isRight || !(Number(digits.value) >= 1 && Number(digits.value) <= PRECISION_MAX))
    return c.refuse(precision, `the precision of a tile is a number from 1 to ${PRECISION_MAX}`);
  return { expression: call('string', 'geo_tile', [...numbers, digits]) };
}
