/**
 * The `queries:` of a pipeline file: named questions about stored rows. Their text is ClickHouse's business; here it is read
 * as far as parameters go, and held to be one SELECT. What a caller gives never becomes part of it (src/queries).
 */

import { lookup } from '../../native-free-core/base/lookup.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import { QUERY_TYPES, queryValue, queryValueExpected } from '../../native-free-core/plan/query-values.ts';
import type { QueryParameterPlan, QueryPlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import type { QueryDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { scanStatement, type Placeholder } from './statement-text.ts';
import { countOf, durationMs } from './units.ts';

const QUERIES_MAX = 500;
const ROWS_DEFAULT = 10_000;
const ROWS_MAX = 1_000_000;
const MS_DEFAULT = 10_000;
/** ClickHouse counts whole seconds; ingress waits half a minute for the main thread. */
const MS_MIN = 1000;
const MS_MAX = 20_000;

export function compileQueries(c: Compilation): QueryPlan[] {
  const queries = Object.entries(c.declaration.queries ?? {});
  if (queries.length > QUERIES_MAX)
    c.problems.addAtKey(['queries'], `too many queries: ${queries.length}; at most ${QUERIES_MAX}`);
  return queries.map(([name, query]) => compileQuery(c, ['queries', name], name, query));
}

function compileQuery(c: Compilation, path: Path, name: string, query: QueryDeclaration): QueryPlan {
  const { problems } = c;
  const { placeholders, complaint } = scanStatement(query.sql);
  if (complaint !== null) problems.addInText([...path, 'sql'], complaint.at, complaint.message);
  const parameters = new Map<string, QueryParameterPlan>();
  for (const one of placeholders) {
    const known = parameters.get(one.name);
    const problem = placeholderProblem(one, known);
    if (problem !== null)
      problems.addInText(
        [...path, 'sql'],
        one.at,
        problem,
        known === undefined ? nearest(one.type, QUERY_TYPES) : undefined,
      );
    else if (known === undefined)
      parameters.set(one.name, { name: one.name, type: one.type, default: defaultOf(c, path, query, one) });
  }
  for (const key of Object.keys(query.defaults ?? {})) {
    if (placeholders.some((one) => one.name === key)) continue;
    const names = placeholders.map((one) => one.name);
    problems.addAtKey(
      [...path, 'defaults', key],
      `no parameter of the query: ${key}; write {${key}:Type} in sql`,
      nearest(key, names),
    );
  }
  return {
    name,
    about: query.about ?? '',
    sql: query.sql,
    parameters: [...parameters.values()],
    rowsMax: bounded(c, [...path, 'rows_max'], countOf(query.rows_max ?? ROWS_DEFAULT), [1, ROWS_MAX], 'rows'),
    msMax: query.time_max === undefined ? MS_DEFAULT : timeMax(c, [...path, 'time_max'], durationMs(query.time_max)),
  };
}

function timeMax(c: Compilation, path: Path, ms: number): number {
  if (ms % MS_MIN !== 0) c.problems.add(path, `${path.join('.')} is in whole seconds: ${ms}ms`);
  return bounded(c, path, ms, [MS_MIN, MS_MAX], 'ms');
}

function placeholderProblem({ name, type }: Placeholder, known: QueryParameterPlan | undefined): string | null {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name))
    return `a parameter’s name begins with a small letter and has small letters, digits and _ only: ${name}`;
  if (!QUERY_TYPES.includes(type))
    return `unknown type of a parameter: ${type}; write one of ${QUERY_TYPES.join(', ')}`;
  if (known !== undefined && known.type !== type) return `parameter ${name} is ${known.type} before, and ${type} here`;
  return null;
}

function defaultOf(
  c: Compilation,
  path: Path,
  { defaults }: QueryDeclaration,
  { name, type }: Placeholder,
): string | null {
  const given = lookup(defaults, name);
  if (given === undefined) return null;
  const text = String(given);
  if (queryValue(type, text) === null)
    c.problems.add(
      [...path, 'defaults', name],
      `parameter ${name} takes ${queryValueExpected(type)}: ${text.slice(0, 80)}`,
    );
  return text;
}

function bounded(
  c: Compilation,
  path: Path,
  value: number,
  [least, most]: readonly [number, number],
  unit: string,
): number {
  if (value < least || value > most)
    c.problems.add(path, `${path.join('.')} is from ${least} to ${most} ${unit}: ${value}`);
  return value;
}
