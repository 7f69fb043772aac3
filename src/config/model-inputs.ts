/**
 * Inputs of a model: what each name is, which number the model gets for it, and whether that is what its file was trained
 * on. A text, and whatever the file has categories of, becomes the place of its value in the list; the list is the file's
 * where it has one.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Expression } from '../../native-free-core/plan/plan.ts';
import type { Category, FileInput, ParsedModel } from '../../native-free-core/model/parsed-model.ts';
import type { Compilation } from './compilation.ts';
import { expressionAt } from './expression-at.ts';
import { storeListReads } from './computed.ts';
import { isSyntaxProblem, parseExpression, namePathOf } from './expression/cel-syntax.ts';
import { kindText, type Typed } from '../../native-free-core/language/functions/typed.ts';
import { categoryExpression, listText } from './model-categories.ts';
import { columnLists } from './model-columns.ts';
import type { ModelDeclaration } from './schema.ts';
import type { Path } from './source.ts';

export interface ModelInputs {
  readonly expressions: readonly Expression[];
  /** By input: the categories as texts; null: the number itself. */
  readonly categories: readonly (readonly string[] | null)[];
  readonly warnings: readonly string[];
}

/** A name, so that an explanation can say what each input was; null after a complaint. */
export function typedInput(c: Compilation, text: string, path: Path): Typed | null {
  const tree = parseExpression(text);
  if (!isSyntaxProblem(tree) && namePathOf(tree) === null) {
    c.problems.addInText(path, 0, 'an input is a name; declare what is computed as a derived value, and name that');
    return null;
  }
  const typed = expressionAt(c, text, path, true);
  if (typed?.expression.type !== 'bytes')
    return typed && { ...typed, expression: storeListReads(c, typed.expression, path) };
  c.problems.addInText(path, 0, 'a model takes numbers, this is bytes');
  return null;
}

/** What is wrong whatever the file says; true where nothing is. `path`: of the model. */
export function checkDeclared(
  c: Compilation,
  { inputs, categories, format }: ModelDeclaration,
  typed: readonly Typed[],
  path: Path,
): boolean {
  const before = c.problems.list.length;
  typed.forEach((one, i) => {
    const name = inputs[i]!;
    const declared = lookup(categories, name);
    const at = [...path, 'categories', name];
    if (declared === undefined && (format === 'linear' || format === 'logistic') && one.expression.type === 'string')
      textWithoutCategories(c, name, [...path, 'inputs', i]);
    if (!Array.isArray(declared)) return;
    for (const { message, category, nearest } of categoryExpression(one, declared).problems) {
      if (category < 0) c.problems.addAtKey(at, message);
      else c.problems.add([...at, category], message, nearest);
    }
  });
  return c.problems.list.length === before;
}

function textWithoutCategories(c: Compilation, name: string, at: Path): void {
  c.problems.addInText(
    at,
    0,
    `a text needs its categories, and the file does not list them: write categories: { ${name}: […] }, in the order of training`,
  );
}

/** null after a complaint. `path`: of the model. */
export function compileInputs(
  c: Compilation,
  declaration: ModelDeclaration,
  typed: readonly Typed[],
  parsed: ParsedModel,
  path: Path,
): ModelInputs | null {
  const before = c.problems.list.length;
  const lists = columnLists(declaration, typed, parsed);
  if (typeof lists === 'string') c.problems.add([...path, 'file'], `${declaration.file}: ${lists}`);
  const warnings: string[] = [];
  const found = typed.map((one, i) => {
    const name = declaration.inputs[i]!;
    const file = parsed.inputs[i]!;
    const known = typeof lists === 'string' ? file : { ...file, categories: file.categories ?? lists[i]! };
    const input: Input = { c, name, typed: one, file: known, fileName: declaration.file, path, index: i, warnings };
    return compileInput(input, lookup(declaration.categories, name));
  });
  if (c.problems.list.length > before) return null;
  return {
    expressions: found.map((one) => one!.expression),
    categories: found.map((one) => one!.categories),
    warnings,
  };
}

interface Input {
  readonly c: Compilation;
  readonly name: string;
  readonly typed: Typed;
  readonly file: FileInput;
  readonly fileName: string;
  readonly path: Path;
  readonly index: number;
  readonly warnings: string[];
}

interface Compiled {
  readonly expression: Expression;
  readonly categories: readonly string[] | null;
}

function compileInput(input: Input, declared: readonly Category[] | 'codes' | undefined): Compiled | null {
  const { file } = input;
  if (declared === 'codes') return codes(input);
  if (declared !== undefined) return agrees(input, declared) ? placeAmong(input, declared) : null;
  return file.categories === null ? plainNumber(input) : placeAmong(input, file.categories);
}

/** The number itself: what a model without sets takes of it. */
function plainNumber({ c, name, typed, file, fileName, path, index }: Input): Compiled | null {
  const at = [...path, 'inputs', index];
  const { expression } = typed;
  if (expression.type === 'string') {
    textWithoutCategories(c, name, at);
    return null;
  }
  if (file.kind !== 'category') return { expression, categories: null };
  const message =
    `${fileName} looks this input up in sets of categories, and does not list them; ${name} is ${kindText(typed)}: ` +
    `write categories: { ${name}: […] } in the order of training, or categories: { ${name}: codes } where its numbers are the codes`;
  c.problems.addInText(at, 0, message);
  return null;
}

function codes({ c, name, typed, file, fileName, path }: Input): Compiled | null {
  const refuse = (message: string): null => {
    c.problems.add([...path, 'categories', name], message);
    return null;
  };
  if (file.categories !== null)
    return refuse(`${fileName} lists the categories (${listText(file.categories)}): leave them out here`);
  if (file.kind === 'number') return refuse(`${fileName} compares this input with thresholds: it has no codes`);
  const { type } = typed.expression;
  if (type === 'int' || type === 'bool') return { expression: typed.expression, categories: null };
  return refuse(`codes are integers, ${name} is ${kindText(typed)}`);
}

/** The pipeline's list against the file's, and against what its trees ask. */
function agrees({ c, name, file, fileName, path, warnings }: Input, declared: readonly Category[]): boolean {
  const { categories, kind, categoryMax } = file;
  if (categories === null) {
    if (kind === 'number')
      warnings.push(`${name} has categories, and the model compares their places with thresholds, as numbers`);
    if (categoryMax >= declared.length)
      warnings.push(`the model knows a category ${categoryMax} of ${name}, categories: has ${declared.length}, from 0`);
    return true;
  }
  if (categories.length === declared.length && categories.every((one, i) => one === declared[i])) return true;
  c.problems.add(
    [...path, 'categories', name],
    `the categories are not those of the training: here [${listText(declared)}], in ${fileName} [${listText(categories)}]; ` +
      'leave them out, and the file counts',
  );
  return false;
}

/** Of a list in the file, a name that cannot come does no harm. */
function placeAmong(
  { c, typed, fileName, path, index, warnings }: Input,
  categories: readonly Category[],
): Compiled | null {
  const found = categoryExpression(typed, categories);
  for (const { message, isFatal } of found.problems) {
    if (isFatal) c.problems.add([...path, 'inputs', index], `${fileName}: ${message}`);
    else warnings.push(message);
  }
  return found.expression === null ? null : { expression: found.expression, categories: categories.map(String) };
}
