/** Constants of expressions: integers keep all their bits, doubles must be finite, null is refused. */

import type { ASTNode } from './cel-syntax.ts';
import type { Typed } from '../../../native-free-core/language/functions/typed.ts';

type Literal = Extract<ASTNode, { op: 'value' }>['args'];

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

export function constantOf(value: Literal, refuse: (message: string) => null): Typed | null {
  if (typeof value === 'string') return { expression: { node: 'constant', type: 'string', value } };
  if (typeof value === 'boolean') return { expression: { node: 'constant', type: 'bool', value } };
  if (value === null) return refuse('null is no value here; ask has(…) whether something is present');
  if (typeof value === 'number') return doubleOf(value, refuse);
  const integer = integerValue(value);
  if (integer === null) return refuse('not supported yet: bytes literals');
  return integerOf(integer) ?? refuse('an integer must fit 64 bits');
}

/** The negative of a literal, so that the smallest integer can be written. Null: no number. */
export function negated(value: Literal): Typed | null {
  if (typeof value === 'number') return doubleOf(-value, () => null);
  const integer = integerValue(value);
  return integer === null ? null : integerOf(-integer);
}

function doubleOf(value: number, refuse: (message: string) => null): Typed | null {
  if (!Number.isFinite(value)) return refuse('a number must be finite');
  return { expression: { node: 'constant', type: 'double', value } };
}

/** CEL's unsigned literals (5u) mean the same number. */
function integerValue(value: Literal): bigint | null {
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return null;
  const plain: unknown = value.valueOf();
  return typeof plain === 'bigint' ? plain : null;
}

function integerOf(integer: bigint): Typed | null {
  if (integer < INT64_MIN || integer > UINT64_MAX) return null;
  const value = Number(integer);
  const exact = Number.isSafeInteger(value) ? {} : { exact: String(integer) };
  return { expression: { node: 'constant', type: 'int', value, ...exact } };
}
