/** Checks a pipeline's shape against the schema, and says what is wrong in the words of someone who writes pipelines. */

import type { z } from 'zod';
import { lookup } from '../../native-free-core/base/lookup.ts';
import { laterKey } from './later.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { Problems } from './problems.ts';
import { pipelineSchema, type PipelineDeclaration } from './schema.ts';
import type { Path } from './source.ts';

type Issue = z.core.$ZodIssue;

/** The declaration, or null where its shape is wrong. */
export function checkShape(value: unknown, problems: Problems): PipelineDeclaration | null {
  const result = pipelineSchema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, value, problems);
  return null;
}

function report(issue: Issue, root: unknown, problems: Problems): void {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) reportKey([...path, key], problems);
      return;
    case 'invalid_key':
      problems.addAtKey(path, `${issue.issues[0]?.message ?? 'not a name'}: ${String(path.at(-1))}`);
      return;
    case 'invalid_value':
      if (valueAt(root, path) !== undefined) return reportValue(issue, path, valueAt(root, path), problems);
      break;
    case 'invalid_type':
      if (valueAt(root, path) !== undefined)
        return problems.add(path, `${nameOf(path)} must be ${kindText(issue.expected)}`);
      break;
    default:
      if (valueAt(root, path) !== undefined) return problems.add(path, `${nameOf(path)}: ${issue.message}`);
  }
  problems.addAtKey(path.slice(0, -1), `${nameOf(path)} is missing`);
}

function reportKey(path: Path, problems: Problems): void {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const later = laterKey(parent, key);
  if (later !== undefined) problems.addAtKey(path, `not supported yet: ${later}`);
  else problems.addAtKey(path, `unknown key: ${key}`, nearest(key, knownKeys(pipelineSchema, parent)));
}

function reportValue(
  issue: Extract<Issue, { code: 'invalid_value' }>,
  path: Path,
  value: unknown,
  problems: Problems,
): void {
  const allowed = issue.values.map(String);
  problems.add(
    path,
    `${nameOf(path)} must be ${allowed.join(', ')}`,
    typeof value === 'string' ? nearest(value, allowed) : undefined,
  );
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'the pipeline' : path.join('.');
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a map of keys',
  record: 'a map of names',
  string: 'text (put quotes around it)',
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
};

function kindText(expected: string): string {
  return lookup(KINDS, expected) ?? expected;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = lookup(value as Record<string, unknown>, String(part));
  }
  return value;
}

/** The keys that the schema has at a path. */
function knownKeys(schema: unknown, path: Path): string[] {
  let at = unwrap(schema);
  for (const part of path) {
    if (at.def.type === 'object') at = unwrap(lookup(at.shape, String(part)));
    else if (at.def.type === 'record') at = unwrap(at.def.valueType);
    else if (at.def.type === 'array') at = unwrap(at.def.element);
    else return [];
  }
  return Object.keys(at.shape ?? {});
}

interface AnySchema {
  readonly def: {
    readonly type: string;
    readonly innerType?: unknown;
    readonly valueType?: unknown;
    readonly element?: unknown;
  };
  readonly shape?: Readonly<Record<string, unknown>>;
}

function unwrap(schema: unknown): AnySchema {
  let at = schema as AnySchema;
  while (at?.def?.innerType !== undefined) at = at.def.innerType as AnySchema;
  return at ?? { def: { type: 'unknown' } };
}
