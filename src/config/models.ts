/**
 * The `models:` section: what data science has trained, as its own library saved it. `model.<name>` is the score: a computed
 * column, there when rules and derived values read it, and stored with the row. The file is part of the pipeline's version.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Expression, ModelOutput, ModelPlan } from '../../native-free-core/layout/plan.ts';
import { parseModel } from '../../native-free-core/model/parse.ts';
import { expressionAt, type Compilation } from './compilation.ts';
import { isSyntaxProblem, parseExpression, pathOf } from './expression/syntax.ts';
import { call, kindText, type Typed } from './expression/typed.ts';
import { nearest } from './nearest.ts';
import type { ProtoReader } from './proto/index.ts';
import type { ModelDeclaration } from './schema.ts';
import type { Path } from './source.ts';

type Parsed = Exclude<ReturnType<typeof parseModel>, { readonly problem: string }>;

/** What the files said beyond their models. */
export interface CompiledModels {
  readonly plans: ModelPlan[];
  /** Texts of the files, in the order of the plans. */
  readonly files: string[];
  /** What is odd about them and does not stop them, with the model's name. */
  readonly warnings: string[];
}

export function noModels(): CompiledModels {
  return { plans: [], files: [], warnings: [] };
}

/** Adds one model, when all that it reads is compiled. `read` finds a file that the pipeline names. */
export function compileModel(c: Compilation, name: string, read: ProtoReader, compiled: CompiledModels): void {
  const declaration = lookup(c.declaration.models, name)!;
  const path: Path = ['models', name];
  checkCategories(c, declaration, path);
  const inputs = declaration.inputs.map((text, i) => compileInput(c, declaration, text, [...path, 'inputs', i]));
  // What is wrong with an input is said first; the file would only complain of the same.
  if (inputs.some((input) => input === null)) return;
  const file = read(declaration.file, null);
  if (file === null) return c.problems.add([...path, 'file'], `no such file: ${declaration.file}`);
  const parsed = parseModel(declaration.format, file.text, declaration.inputs);
  if ('problem' in parsed) return c.problems.add([...path, 'file'], `${declaration.file}: ${parsed.problem}`);
  const output = outputOf(c, declaration, parsed, path);
  if (output === null) return;
  const column = c.columns.add(
    {
      name: `model_${name}`,
      kind: 'f64',
      nullable: true,
      comment: `${output} of ${declaration.file} (${declaration.format}) on ${declaration.inputs.join(', ')}`,
    },
    `model ${name}`,
    path,
  );
  compiled.files.push(file.text);
  compiled.warnings.push(...parsed.warnings.map((warning) => `model ${name}: ${declaration.file}: ${warning}`));
  compiled.plans.push({
    name,
    format: declaration.format,
    file: declaration.file,
    output,
    inputs: inputs as Expression[],
    inputTexts: declaration.inputs,
    categories: declaration.inputs.map((input) => lookup(declaration.categories, input) ?? null),
    column,
    content: parsed.content,
  });
  c.models.set(name, column);
}

function checkCategories(c: Compilation, { inputs, categories }: ModelDeclaration, path: Path): void {
  for (const name of Object.keys(categories ?? {})) {
    if (!inputs.includes(name))
      c.problems.addAtKey([...path, 'categories', name], `no such input: ${name}`, nearest(name, inputs));
  }
}

function outputOf(
  c: Compilation,
  { output, file }: ModelDeclaration,
  { objective }: Parsed,
  path: Path,
): ModelOutput | null {
  const refuse = (at: Path, message: string): null => {
    c.problems.add(at, `${file}: ${message}`);
    return null;
  };
  if (output === 'margin') return output;
  if (objective === 'margin-only') {
    const message = 'what its objective makes of the margin is not known here; write output: margin';
    return refuse(output === undefined ? [...path, 'file'] : [...path, 'output'], message);
  }
  if (output === 'probability' && objective !== 'logistic')
    return refuse([...path, 'output'], 'its objective gives no probability; write value or margin');
  return output ?? (objective === 'logistic' ? 'probability' : 'value');
}

/** A name, so that an explanation can say what each input was; null after a complaint. */
function compileInput(c: Compilation, declaration: ModelDeclaration, text: string, path: Path): Expression | null {
  const tree = parseExpression(text);
  if (!isSyntaxProblem(tree) && pathOf(tree) === null) {
    c.problems.addInText(path, 0, 'an input is a name; declare what is computed as a derived value, and name that');
    return null;
  }
  const typed = expressionAt(c, text, path, true);
  if (typed === null) return null;
  const { expression, labels } = typed;
  const categories = lookup(declaration.categories, text);
  if (expression.type === 'bytes') {
    c.problems.addInText(path, 0, 'a model takes numbers, this is bytes');
    return null;
  }
  const isText = expression.type === 'string';
  if (categories !== undefined) {
    if (isText || labels !== undefined)
      return categoryOf(c, typed, categories, [...path.slice(0, 2), 'categories', text]);
    c.problems.addAtKey(
      [...path.slice(0, 2), 'categories', text],
      `categories are for texts, ${text} is ${kindText(typed)}`,
    );
    return null;
  }
  if (!isText) return expression;
  c.problems.addInText(
    path,
    0,
    `a text needs its categories: write categories: { ${text}: […] }, in the order of training`,
  );
  return null;
}

/** Place of the value among the categories; absent, which is a missing value, where it is none of them. */
function categoryOf(c: Compilation, typed: Typed, categories: readonly string[], path: Path): Expression | null {
  const { expression, labels } = typed;
  const before = c.problems.list.length;
  const constants = categories.map((category, i): Expression => {
    if (categories.indexOf(category) !== i) c.problems.add([...path, i], `the category is there twice: ${category}`);
    if (labels === undefined) return { node: 'constant', type: 'string', value: category };
    const code = labels.codes.get(category);
    if (code === undefined)
      c.problems.add([...path, i], `${labels.name} is never '${category}'`, nearest(category, labels.codes.keys()));
    return { node: 'constant', type: 'int', value: code ?? 0 };
  });
  if (c.problems.list.length > before) return null;
  return constants.reduceRight<Expression>(
    (otherwise, constant, i) =>
      call('double', 'conditional', [call('bool', 'eq', [expression, constant]), place(i), otherwise]),
    // Nothing but a division by zero is a number that is absent.
    call('double', 'ratio', [place(0), place(0)]),
  );
}

function place(index: number): Expression {
  return { node: 'constant', type: 'double', value: index };
}
