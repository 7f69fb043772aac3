/**
 * Which input each list of LightGBM's `pandas_categorical` belongs to. The file has a list for every categorical column of
 * the training table, in the table's order, and does not say which columns those were: categorical features, and ordered
 * categories, which trees take as numbers. Only an assignment that fits, and is the only one in sight, is taken.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Category, ParsedModel } from '../../native-free-core/model/parsed-model.ts';
import type { Typed } from '../../native-free-core/language/functions/typed.ts';
import { kindOfInput } from './model-categories.ts';
import type { ModelDeclaration } from './schema.ts';

type Lists = readonly (readonly Category[] | null)[];

/** By input; a text: why it cannot be told. */
export function columnLists(
  declaration: ModelDeclaration,
  typed: readonly Typed[],
  parsed: ParsedModel,
): Lists | string {
  const lists = parsed.columnCategories;
  if (lists.length === 0) return typed.map(() => null);
  const declared = declaration.inputs.map((name) => Array.isArray(lookup(declaration.categories, name)));
  const candidates = [
    typed.map((one, i) => kindOfInput(one) === 'string' || declared[i]!),
    parsed.inputs.map(({ kind }) => kind === 'category'),
    parsed.inputs.map(({ kind }, i) => kind === 'category' || kindOfInput(typed[i]!) === 'string'),
  ];
  const fitting = candidates.flatMap((chosen) => {
    const assigned = assign(chosen, lists);
    return assigned !== null && fits(assigned, typed, parsed) ? [assigned] : [];
  });
  const first = fitting[0];
  if (first !== undefined && fitting.every((one) => one.every((list, i) => list === first[i]))) return first;
  const columns = lists.map((list) => `[${list.slice(0, 5).join(', ')}${list.length > 5 ? ', …' : ''}]`).join(', ');
  return (
    `it lists the categories of ${lists.length} columns (pandas_categorical: ${columns}), and which inputs these are cannot be told: ` +
    `write categories: for each of them, in the file's order`
  );
}

function assign(chosen: readonly boolean[], lists: readonly (readonly Category[])[]): Lists | null {
  if (chosen.filter((one) => one).length !== lists.length) return null;
  let next = 0;
  return chosen.map((isColumn) => (isColumn ? lists[next++]! : null));
}

function fits(assigned: Lists, typed: readonly Typed[], parsed: ParsedModel): boolean {
  return assigned.every((list, i) => {
    if (list === null) return true;
    const kind = kindOfInput(typed[i]!);
    return list.every((one) => typeof one === kind) && parsed.inputs[i]!.categoryMax < list.length;
  });
}
