/**
 * A call as the checker hands it to a function: its arguments as they are written, and the names that only the pipeline
 * knows. A check that returns null has complained, once for each mistake that it saw.
 */

import type { Expression, ListPlan } from '../../plan/plan.ts';
import { isNumber, isWideLiteral, kindText, type Typed } from './typed.ts';

/** Says what is wrong where something stands. Returns null, so that a check can return it. */
export type Refuse = (message: string, suggestion?: string) => null;

export interface Argument {
  readonly refuse: Refuse;
  /** The checked argument. To be called once: a second call would repeat its complaints. */
  check(): Typed | null;
  /** Where it is a literal: the same with a minus in front, so that the smallest integer can be written. */
  negated(): Typed | null;
  /** Where it is a text in quotes. */
  readonly literalText: string | null;
  /** `event.dig.depth` as its parts. */
  readonly path: readonly string[] | null;
  /** The elements of `[1, 2]`. */
  readonly elements: readonly Argument[] | null;
}

export interface CallSite {
  /** At the call as a whole. */
  readonly refuse: Refuse;
  /** A method's receiver is the first. */
  readonly arguments: readonly Argument[];
  /** Makes a time zone known to the plan; what is wrong with its name, or null. */
  useZone(name: string): { readonly message: string; readonly suggestion?: string } | null;
  listType(name: string): ListPlan['type'] | undefined;
  /** The list that was probably meant. */
  nearestList(name: string): string | undefined;
  /** `event.dig`, where it is a branch of the event type: the condition that the event is one. */
  branchCondition(path: readonly string[]): Expression | null;
}

/** A number that can be calculated with. */
export function numberOf(argument: Argument): Typed | null {
  const typed = argument.check();
  if (typed === null) return null;
  if (!isNumber(typed) || typed.list === true)
    return argument.refuse(`a number is needed here, this is ${kindText(typed)}`);
  if (isWideLiteral(typed)) return argument.refuse('an integer beyond 2^53 can be compared, not calculated with');
  return typed;
}

/** null where one is no number. */
export function numbersOf(operands: readonly Argument[]): Expression[] | null {
  const checked = operands.map(numberOf);
  const numbers = checked.flatMap((typed) => (typed === null ? [] : [typed.expression]));
  return numbers.length === operands.length ? numbers : null;
}

export function conditionOf(argument: Argument): Typed | null {
  const typed = argument.check();
  if (typed === null || (typed.expression.type === 'bool' && typed.list !== true)) return typed;
  return argument.refuse(`a condition is needed here, this is ${kindText(typed)}`);
}

export function textOf(argument: Argument): Typed | null {
  const typed = argument.check();
  if (typed === null) return null;
  if (typed.expression.type === 'string' && typed.list !== true) return typed;
  return argument.refuse(`a text is needed here, this is ${kindText(typed)}`);
}
