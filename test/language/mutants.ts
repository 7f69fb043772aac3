/**
 * Copies of source files, each without one property of an object literal, and which of them the compiler accepts. A table
 * whose entries must be whole is proved by it: nothing of an entry can be missing without an error. All mutants are compiled
 * in one run, each as a file of its own beside the original.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as ast from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

const root = join(import.meta.dirname, '..', '..');
const CORE = 'native-free-core';
/** An error takes about half a kilobyte, and a mutant has one or two. */
const OUTPUT_BYTES_MAX = 1 << 26;

export interface Mutant {
  /** From the project's root. */
  readonly file: string;
  /** `size.ts:23 sql`; of an unchanged copy the file alone. */
  readonly what: string;
  readonly text: string;
}

/** For each of the core's files an unchanged copy, and a copy for each property with one of the names. */
export function mutantsOf(files: readonly string[], parts: ReadonlySet<string>): Mutant[] {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, CORE, 'tsconfig.json')] }).getProjects();
    return files.flatMap((file) => {
      const source = project!.program.getSourceFile(join(root, file));
      if (source === undefined) throw new Error(`not a file of the core: file=${file}`);
      const found = propertiesOf(source).filter((node) => parts.has(nameOf(node, source)));
      const unchanged = { file, what: basename(file), text: source.text };
      return [unchanged, ...found.map((node) => without(file, source, node))];
    });
  } finally {
    api.close();
  }
}

/** Of all object literals but those that copy a value (`{ ...value, a: 1 }`), whose properties replace what is there. */
function propertiesOf(source: ast.SourceFile): ast.ObjectLiteralElementLike[] {
  const found: ast.ObjectLiteralElementLike[] = [];
  const visit = (node: ast.Node): void => {
    if (ast.isObjectLiteralExpression(node)) {
      const properties = [...node.properties];
      const copies = properties.some((one) => ast.isSpreadAssignment(one) && ast.isIdentifier(one.expression));
      if (!copies) found.push(...properties);
    }
    node.forEachChild(visit);
  };
  source.forEachChild(visit);
  return found;
}

/** Of a spread call (`...testKernel(…)`) the function's name. */
function nameOf(node: ast.ObjectLiteralElementLike, source: ast.SourceFile): string {
  if (!ast.isSpreadAssignment(node)) return node.name?.getText(source) ?? '';
  return ast.isCallExpression(node.expression) ? node.expression.expression.getText(source) : '';
}

function without(file: string, source: ast.SourceFile, node: ast.ObjectLiteralElementLike): Mutant {
  const [start, end] = [node.getStart(source), node.end];
  const behind = source.text.slice(end).replace(/^\s*,/, '');
  const line = source.text.slice(0, start).split('\n').length;
  return {
    file,
    what: `${basename(file)}:${line} ${nameOf(node, source)}`,
    text: source.text.slice(0, start) + behind,
  };
}

/** The mutants in which the compiler sees nothing wrong. */
export function acceptedOf(mutants: readonly Mutant[]): Mutant[] {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-mutants-'));
  try {
    cpSync(join(root, CORE), join(folder, CORE), { recursive: true });
    for (const name of ['package.json', 'tsconfig.base.json']) cpSync(join(root, name), join(folder, name));
    const places = mutants.map(({ file, text }, i) => {
      const place = join(dirname(file), `mutant-${i}.ts`);
      writeFileSync(join(folder, place), text);
      return place;
    });
    // A name that is no longer used says nothing of what is missing.
    const config = join(folder, CORE, 'tsconfig.json');
    const plain = JSON.parse(readFileSync(config, 'utf8')) as { compilerOptions: object };
    const options = { ...plain.compilerOptions, noUnusedLocals: false, composite: false, noEmit: true };
    writeFileSync(config, JSON.stringify({ ...plain, compilerOptions: options }));
    const refused = filesWithErrors(folder);
    return mutants.filter((_, i) => !refused.has(places[i]!));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function filesWithErrors(folder: string): ReadonlySet<string> {
  const compiler = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const options = ['--pretty', 'false', '-p', join(folder, CORE)];
  const { stdout, stderr, error } = spawnSync(process.execPath, [compiler, ...options], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error !== undefined || stderr !== '') throw new Error(`tsc did not run: ${error?.message ?? stderr}`);
  return new Set([...stdout.matchAll(/^(.+?)\(\d+,\d+\): error/gm)].map(([, file]) => file!));
}
