/**
 * From CEL's syntax tree to the typed expression that the core compiles. Names become columns here; operators and functions
 * are checked by the language's table. Every problem is reported at its own character.
 */

import type { Argument, CallSite } from '../../../native-free-core/language/functions/call-site.ts';
import { WRITTEN_FORMS, writtenForm } from '../../../native-free-core/language/functions/index.ts';
import type { Typed } from '../../../native-free-core/language/functions/typed.ts';
import type { Expression } from '../../../native-free-core/plan/plan.ts';
import { LATER_FUNCTIONS } from '../later.ts';
import { nearest } from '../../../native-free-core/base/nearest.ts';
import { zonePlan, zoneProblem } from '../zones.ts';
import { constantOf, negated } from './literal.ts';
import { branchCondition, resolveName, type ExpressionScope } from './names-in-scope.ts';
import { isSyntaxProblem, operandsOf, parseExpression, namePathOf, type ASTNode } from './cel-syntax.ts';

/** Where the checker says what is wrong: character within the expression's text, message, suggestion. */
export type Complain = (at: number, message: string, suggestion?: string) => void;

interface Check {
  readonly scope: ExpressionScope;
  readonly complain: Complain;
}

/** null after at least one complaint. */
export function checkExpression(text: string, scope: ExpressionScope, complain: Complain): Typed | null {
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
    default: {
      const operator = writtenForm(node.op);
      if (operator === undefined) return refuse(c, node, 'not supported yet: this part of CEL');
      return operator.check(callSite(c, node, operandsOf(node.args)));
    }
  }
}

function checkName(c: Check, node: ASTNode): Typed | null {
  const parts = namePathOf(node);
  if (parts === null) return refuse(c, node, 'a field can only be taken of event or an entity');
  const resolved = resolveName(c.scope, parts);
  if (resolved === null) return null;
  return 'expression' in resolved ? resolved : refuse(c, node, resolved.message, resolved.suggestion);
}

function checkCall(c: Check, node: ASTNode, name: string, operands: readonly ASTNode[]): Typed | null {
  const known = writtenForm(name);
  if (known !== undefined) return known.check(callSite(c, node, operands));
  if (LATER_FUNCTIONS.has(name)) return refuse(c, node, `not supported yet: function ${name}()`);
  const callable = WRITTEN_FORMS.filter(({ form }) => form !== 'operator').map((form) => form.name);
  return refuse(c, node, `unknown function: ${name}()`, nearest(name, callable));
}

/** `a.f(b)` is f(a, b), except for functions with a dot in their name: geo.distance(…). */
function checkMethod(
  c: Check,
  node: ASTNode,
  name: string,
  receiver: ASTNode,
  operands: readonly ASTNode[],
): Typed | null {
  if (receiver.op === 'id' && receiver.args === 'geo') return checkCall(c, node, `geo.${name}`, operands);
  return checkCall(c, node, name, [receiver, ...operands]);
}

function callSite(c: Check, node: ASTNode, operands: readonly ASTNode[]): CallSite {
  const { scope } = c;
  return {
    refuse: (message, suggestion) => refuse(c, node, message, suggestion),
    arguments: operands.map((operand) => argumentOf(c, operand)),
    useZone: (name) => {
      const problem = zoneProblem(name);
      if (problem === null) scope.zones.set(name, zonePlan(name));
      return problem;
    },
    listType: (name) => scope.lists.get(name),
    nearestList: (name) =>
      nearest(
        `list.${name}`,
        [...scope.lists.keys()].map((known) => `list.${known}`),
      ),
    branchCondition: (path): Expression | null => branchCondition(scope, path),
  };
}

function argumentOf(c: Check, node: ASTNode): Argument {
  return {
    refuse: (message, suggestion) => refuse(c, node, message, suggestion),
    check: () => check(c, node),
    negated: () => (node.op === 'value' ? negated(node.args) : null),
    literalText: node.op === 'value' && typeof node.args === 'string' ? node.args : null,
    path: namePathOf(node),
    elements: node.op === 'list' ? node.args.map((element) => argumentOf(c, element)) : null,
  };
}
