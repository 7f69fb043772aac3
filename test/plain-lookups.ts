/**
 * Finds where the sources look outside text up in a plain object: `table[name]` with a `name` of type string finds
 * `constructor` and `__proto__`, too, and so does `name in table`. They belong into native-free-core/base/lookup.ts or a
 * Map. Asks TypeScript's own checker for the types; used by tidy.test.ts.
 */

import { join } from 'node:path';
import * as ast from 'typescript/unstable/ast';
import { API, type Project, type Type } from 'typescript/unstable/sync';

/** Where the two functions are that may do it. */
const HOME = 'native-free-core/base/lookup.ts';
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

interface Lookup {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * `configs`: paths of tsconfig.json files below `root`. `overlay`: files with another content than on the disk, by absolute
 * path.
 */
export function plainLookups(
  root: string,
  configs: readonly string[],
  overlay: ReadonlyMap<string, string> = new Map(),
): string[] {
  const api = new API({ cwd: root, fs: { readFile: (path) => overlay.get(path) } });
  try {
    const snapshot = api.updateSnapshot({ openProjects: configs.map((config) => join(root, config)) });
    const found = snapshot.getProjects().flatMap((project) => projectLookups(project, root));
    return found.map(({ file, line, text }) => `${file}:${line} ${text}`);
  } finally {
    api.close();
  }
}

function projectLookups(project: Project, root: string): Lookup[] {
  return project.rootFiles.flatMap((path) => {
    const file = path.slice(root.length + 1);
    const source = file === HOME ? undefined : project.program.getSourceFile(path);
    if (source === undefined) return [];
    const indexed: ast.ElementAccessExpression[] = [];
    const found: ast.Node[] = [];
    const visit = (node: ast.Node): void => {
      if (ast.isElementAccessExpression(node) && !isOwnKey(node)) indexed.push(node);
      if (asksIn(node)) found.push(node);
      node.forEachChild(visit);
    };
    source.forEachChild(visit);
    const types = project.checker.getTypeAtLocation(indexed.map((node) => node.argumentExpression));
    found.push(...indexed.filter((node, i) => mayBeInherited(node.argumentExpression, types[i])));
    return found.map((node) => {
      const line = source.text.slice(0, node.getStart(source)).split('\n').length;
      return { file, line, text: node.getText(source).replace(/\s+/g, ' ') };
    });
  });
}

/** `name in table`; a fixed name is a question about the object's shape. */
function asksIn(node: ast.Node): boolean {
  if (ast.isForInStatement(node)) return true;
  return (
    ast.isBinaryExpression(node) &&
    node.operatorToken.kind === ast.SyntaxKind.InKeyword &&
    !ast.isStringLiteral(node.left)
  );
}

/** Within `for (const key of Object.keys(table))`, `table[key]` is there. */
function isOwnKey({ expression, argumentExpression }: ast.ElementAccessExpression): boolean {
  const keys = `Object.keys(${expression.getText()})`;
  for (let at: ast.Node | undefined = argumentExpression; at !== undefined; at = at.parent) {
    if (ast.isForOfStatement(at) && at.expression.getText() === keys)
      return at.initializer.getText() === `const ${argumentExpression.getText()}`;
  }
  return false;
}

function mayBeInherited(name: ast.Expression, type: Type | undefined): boolean {
  if (ast.isStringLiteral(name)) return false;
  if (ast.isTemplateExpression(name)) {
    const parts = name.templateSpans.map(({ literal }) => literal.text);
    return INHERITED.some((inherited) => fits(inherited, [name.head.text, ...parts]));
  }
  return isText(type);
}

/** Whether a template with these fixed parts can give the name. */
function fits(name: string, parts: readonly string[]): boolean {
  const escaped = parts.map((part) => part.replace(/[^a-zA-Z0-9_]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(name);
}

/** A union of literals is a closed list of names. */
function isText(type: Type | undefined): boolean {
  if (type === undefined) return true;
  if (type.isUnionType()) return type.getTypes().some(isText);
  const isAny = (type.flags & (TYPE_ANY | TYPE_UNKNOWN | TYPE_STRING)) !== 0;
  return isAny || type.isTemplateLiteralType() || type.isTypeParameter();
}

/** TypeScript's TypeFlags, which its package does not export. */
const TYPE_ANY = 1;
const TYPE_UNKNOWN = 2;
const TYPE_STRING = 32;
