/**
 * The `models:` section: what data science has trained, as its own library saved it. `model.<name>` is the score: a computed
 * column, there when rules and derived values read it, and stored with the row. The file is part of the pipeline's version.
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import type { ModelOutput, ModelPlan } from '../../native-free-core/plan/plan.ts';
import { parseModel } from '../../native-free-core/model/parse-model.ts';
import type { ParsedModel } from '../../native-free-core/model/parsed-model.ts';
import type { Compilation } from './compilation.ts';
import { checkDeclared, compileInputs, typedInput } from './model-inputs.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { ProtoReader } from './proto/index.ts';
import type { ModelDeclaration } from './schema.ts';
import type { Path } from './source.ts';

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
export function addModel(c: Compilation, name: string, read: ProtoReader, compiled: CompiledModels): void {
  const declaration = lookup(c.declaration.models, name)!;
  const path: Path = ['models', name];
  checkCategories(c, declaration, path);
  const typed = declaration.inputs.map((text, i) => typedInput(c, text, [...path, 'inputs', i]));
  // What is wrong with an input is said first; the file would only complain of the same.
  if (!typed.every((input) => input !== null) || !checkDeclared(c, declaration, typed, path)) return;
  const file = read(declaration.file, null);
  if (file === null) return c.problems.add([...path, 'file'], `no such file: ${declaration.file}`);
  const parsed = parseModel(declaration.format, file.text, declaration.inputs, declaration.iterations);
  if ('problem' in parsed) return c.problems.add([...path, 'file'], `${declaration.file}: ${parsed.problem}`);
  const output = outputOf(c, declaration, parsed, path);
  if (output === null) return;
  const inputs = compileInputs(c, declaration, typed, parsed, path);
  if (inputs === null) return;
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
  const warnings = [...parsed.warnings, ...inputs.warnings];
  compiled.warnings.push(...warnings.map((warning) => `model ${name}: ${declaration.file}: ${warning}`));
  compiled.plans.push({
    name,
    format: declaration.format,
    file: declaration.file,
    output,
    inputs: inputs.expressions,
    inputTexts: declaration.inputs,
    categories: inputs.categories,
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
  { link }: ParsedModel,
  path: Path,
): ModelOutput | null {
  if (output === 'probability' && link !== 'logistic') {
    c.problems.add([...path, 'output'], `${file}: its objective gives no probability; write value or margin`);
    return null;
  }
  return output ?? (link === 'logistic' ? 'probability' : 'value');
}
