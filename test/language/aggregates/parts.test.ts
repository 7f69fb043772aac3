/**
 * No part of an aggregate can be left out: every part of every entry of the table, taken out of its source, is an error of
 * the compiler. All mutants are one program in a folder of their own.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as ast from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';
import { afterAll, expect, test } from 'vitest';
import { AGGREGATE_NAMES } from '../../../native-free-core/language/aggregates/aggregate-names.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const aggregates = join('native-free-core', 'language', 'aggregates');
const folder = mkdtempSync(join(tmpdir(), 'hunt-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Part {
  readonly file: string;
  /** `count.kernel.serve`. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Objects that are open by design: their keys are an aggregate's own. */
const OPEN = /\.(functions|keys|parameters)$|\.keys\./;

/**
 * Properties of the objects that declare an aggregate, of those within them, and of those that are handed to what makes its
 * parts.
 */
function partsOf(paths: readonly string[]): Part[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, 'native-free-core', 'tsconfig.json');
    const { program } = api.updateSnapshot({ openProjects: [config] }).getProjects()[0]!;
    return paths.flatMap((path) => partsIn(program.getSourceFile(path)!, basename(path)));
  } finally {
    api.close();
  }
}

function partsIn(source: ast.SourceFile, file: string): Part[] {
  const parts: Part[] = [];
  const properties = (object: ast.ObjectLiteralExpression, owner: string): void => {
    for (const property of object.properties) {
      if (OPEN.test(owner) || ast.isSpreadAssignment(property)) continue;
      const name = `${owner}.${property.name.getText(source)}`;
      parts.push({ file, name, start: property.getStart(source), end: property.end });
      if (ast.isPropertyAssignment(property)) inside(property.initializer, name);
    }
  };
  const inside = (value: ast.Expression, owner: string): void => {
    if (ast.isObjectLiteralExpression(value)) properties(value, owner);
    if (ast.isCallExpression(value)) for (const argument of value.arguments) inside(argument, owner);
  };
  const visit = (node: ast.Node): void => {
    if (ast.isVariableDeclaration(node) && node.initializer !== undefined) {
      const type = node.type?.getText(source) ?? '';
      if (/^(Aggregate|SetCode|SimpleSet|PlainCode|RingCode|SumsSql|Check|CellsPart)$/.test(type))
        inside(node.initializer, node.name.getText(source));
      else if (ast.isSatisfiesExpression(node.initializer)) inside(node.initializer.expression, 'AGGREGATES');
    }
    node.forEachChild(visit);
  };
  source.forEachChild(visit);
  return parts;
}

test('every part of every aggregate is missed by the compiler', { timeout: 120_000 }, () => {
  cpSync(join(root, 'native-free-core'), folder, { recursive: true });
  const there = readdirSync(join(root, aggregates));
  const entries = AGGREGATE_NAMES.map((name) => `${name.replaceAll('_', '-')}.ts`);
  expect(entries.filter((file) => !there.includes(file))).toEqual([]);
  const parts = partsOf([...there].sort().map((file) => join(root, aggregates, file)));
  const mutants = new Map<string, string>();
  parts.forEach(({ file, name, start, end }, i) => {
    const text = readFileSync(join(root, aggregates, file), 'utf8');
    const comma = /^\s*,/.exec(text.slice(end))?.[0] ?? '';
    const mutant = `${basename(file, '.ts')}-mutant-${i}.ts`;
    writeFileSync(
      join(folder, 'language', 'aggregates', mutant),
      text.slice(0, start) + text.slice(end + comma.length),
    );
    mutants.set(mutant, name);
  });
  const config = {
    extends: join(root, 'native-free-core', 'tsconfig.json'),
    compilerOptions: { rootDir: folder, composite: false, incremental: false, noEmit: true, noUnusedLocals: false },
    include: ['language/aggregates'],
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    timeout: 100_000,
    maxBuffer: 2 ** 26,
  });
  const wrong = new Set([...stdout.matchAll(/([a-z0-9-]+\.ts)\(\d+,\d+\): error/g)].map(([, file]) => file!));
  expect([...wrong].filter((file) => !mutants.has(file))).toEqual([]);
  expect([...mutants].filter(([file]) => !wrong.has(file)).map(([, name]) => name)).toEqual([]);
  // Six parts of each at least, their own parts, and the table's entries.
  expect(mutants.size).toBeGreaterThan(AGGREGATE_NAMES.length * 12);
});
