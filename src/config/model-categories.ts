/**
 * From a value to the place of its category, as an expression; absent, which is a missing value, where it is none of them.
 */

import type { Expression } from '../../native-free-core/plan/plan.ts';
import type { Category } from '../../native-free-core/model/parsed-model.ts';
import { call, kindText, type Typed } from '../../native-free-core/language/functions/typed.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';

export interface CategoryProblem {
  readonly message: string;
  /** Place in the list, -1: of the list as a whole. */
  readonly category: number;
  readonly nearest?: string | undefined;
  /** Also where the file wrote the list, in which a name that cannot come does no harm. */
  readonly isFatal: boolean;
}

export interface CategoryExpression {
  readonly expression: Expression | null;
  readonly problems: readonly CategoryProblem[];
}

/** A step of a chain each; far below what nesting in generated code can bear. */
const CATEGORIES_MAX = 1000;
const SHOWN_MAX = 20;

export function categoryExpression(typed: Typed, categories: readonly Category[]): CategoryExpression {
  const problems = [...listProblems(typed, categories)];
  if (problems.length > 0) return { expression: null, problems };
  const { expression, labels } = typed;
  const steps: (readonly [constant: Expression, place: number])[] = [];
  categories.forEach((category, i) => {
    if (labels === undefined) return void steps.push([constantOf(typed, category), i]);
    const code = labels.codes.get(String(category));
    if (code !== undefined) return void steps.push([{ node: 'constant', type: 'int', value: code }, i]);
    const message = `${labels.name} is never '${category}'`;
    problems.push({ message, category: i, nearest: nearest(String(category), labels.codes.keys()), isFatal: false });
  });
  if (steps.length === 0) {
    problems.push({
      message: `none of the categories (${listText(categories)}) can come`,
      category: -1,
      isFatal: true,
    });
    return { expression: null, problems };
  }
  const chain = steps.reduceRight<Expression>(
    (otherwise, [constant, i]) =>
      call('double', 'conditional', [call('bool', 'eq', [expression, constant]), place(i), otherwise]),
    // Nothing but a division by zero is a number that is absent.
    call('double', 'ratio', [place(0), place(0)]),
  );
  return { expression: chain, problems };
}

/** What a category must be for this input; null: it can have none. */
export function kindOfInput({ expression, labels }: Typed): 'string' | 'number' | 'boolean' | null {
  if (labels !== undefined || expression.type === 'string') return 'string';
  if (expression.type === 'int' || expression.type === 'double') return 'number';
  return expression.type === 'bool' ? 'boolean' : null;
}

export function listText(categories: readonly Category[]): string {
  const more = categories.length - SHOWN_MAX;
  return `${categories.slice(0, SHOWN_MAX).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function* listProblems(typed: Typed, categories: readonly Category[]): Iterable<CategoryProblem> {
  const kind = kindOfInput(typed);
  const fatal = (message: string, category = -1): CategoryProblem => ({ message, category, isFatal: true });
  if (kind === null) return yield fatal(`${kindText(typed)} has no categories`);
  if (categories.length > CATEGORIES_MAX)
    return yield fatal(`${categories.length} categories are too many: at most ${CATEGORIES_MAX}`);
  const other = categories.findIndex((category) => typeof category !== kind);
  if (other >= 0) {
    const texts = { string: 'texts', number: 'numbers', boolean: 'true and false' };
    const is = typeof categories[other] as keyof typeof texts;
    return yield fatal(`the categories are ${texts[is]} (${listText(categories)}), the input is ${kindText(typed)}`);
  }
  for (const [i, category] of categories.entries())
    if (categories.indexOf(category) !== i) yield fatal(`the category is there twice: ${category}`, i);
}

function constantOf({ expression }: Typed, category: Category): Expression {
  if (typeof category === 'string') return { node: 'constant', type: 'string', value: category };
  if (typeof category === 'boolean') return { node: 'constant', type: 'bool', value: category };
  const isWhole = expression.type === 'int' && Number.isInteger(category);
  return { node: 'constant', type: isWhole ? 'int' : 'double', value: category };
}

function place(index: number): Expression {
  return { node: 'constant', type: 'double', value: index };
}
