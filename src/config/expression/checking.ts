/** What the checker's parts share: the scope, how to check an operand, how to complain. */

import type { Scope } from './scope.ts';
import type { ASTNode } from './syntax.ts';
import type { Typed } from './typed.ts';

/** Where the checker says what is wrong: character within the expression's text, message, suggestion. */
export type Complain = (at: number, message: string, suggestion?: string) => void;

/** A part that is wrong has complained and is null. */
export interface Checking {
  readonly scope: Scope;
  any(node: ASTNode): Typed | null;
  /** An integer, a double or a time that can be calculated with. */
  number(node: ASTNode): Typed | null;
  refuse(node: ASTNode, message: string, suggestion?: string): null;
}
