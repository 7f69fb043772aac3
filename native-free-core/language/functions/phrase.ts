/** How an operation is written back: text and binding strength, so that parentheses stand only where they must. */

import type { Expression } from '../../plan/plan.ts';
import type { Call } from '../../plan/expression-plan.ts';

/** Binding strength, weakest first. */
export const CHOICE = 1;
export const OR = 2;
export const AND = 3;
export const RELATION = 4;
export const SUM = 5;
export const PRODUCT = 6;
export const UNARY = 7;
export const PRIMARY = 8;

export type Phrase = readonly [text: string, strength: number];

export interface Writer {
  /** In parentheses where it binds weaker than `least`. */
  write(expression: Expression, least: number): string;
  /** Codes among the operands as the names that one of the others says they are. */
  labelled(operands: readonly Expression[]): readonly Expression[];
  /** `expression - 1` where a method counts from 0 what the operation counts from 1. */
  lessOne(expression: Expression): Phrase | null;
}

type Write = (call: Call, writer: Writer) => Phrase;

/** `a + b`. Operators of the same strength group from the left. */
export function infix(sign: string, strength: number): Write {
  return ({ operands }, writer) => infixPhrase(sign, strength, operands, writer);
}

export function infixPhrase(sign: string, strength: number, [a, b]: readonly Expression[], { write }: Writer): Phrase {
  return [`${write(a, strength)} ${sign} ${write(b, strength + 1)}`, strength];
}

/** `-a`. */
export function prefix(sign: string): Write {
  return ({ operands }, { write }) => [`${sign}${write(operands[0], UNARY)}`, UNARY];
}

/** `f(a, b)`. */
export function calledFunction(name: string): Write {
  return ({ operands }, writer) => [`${name}(${listed(operands, writer)})`, PRIMARY];
}

/** `a.f(b)`. */
export function calledMethod(name: string): Write {
  return ({ operands }, writer) => methodPhrase(name, operands, writer);
}

export function methodPhrase(name: string, [receiver, ...rest]: readonly Expression[], writer: Writer): Phrase {
  return [`${writer.write(receiver, PRIMARY)}.${name}(${listed(rest, writer)})`, PRIMARY];
}

export function listed(parts: readonly Expression[], { write }: Writer): string {
  return parts.map((part) => write(part, CHOICE)).join(', ');
}
