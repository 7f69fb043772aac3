/** A named query as it can be asked: one of the pipeline's, or one of those that every pipeline has (shipped-queries.ts). */

import { nearest } from '../../native-free-core/base/nearest.ts';
import { queryValue, queryValueExpected } from '../../native-free-core/plan/query-values.ts';
import type { QueryPlan } from '../../native-free-core/plan/plan.ts';
import type { QueryDescription, QueryParameterDescription } from '../contract/named-queries.ts';
import { OperatingError } from '../errors.ts';

/** Its choices, where it has some: ClickHouse gets none of them, each stands for a text that the engine wrote. */
export type QueryParameter = QueryParameterDescription;

export interface NamedQuery extends QueryDescription {
  /** `choices`: what was chosen, by parameter; each is one of the declared ones. */
  sql(choices: ReadonlyMap<string, string>): string;
}

/** A statement with the values of its parameters, as ClickHouse takes them. */
export interface BoundQuery {
  readonly sql: string;
  readonly values: ReadonlyMap<string, string>;
  /** As they were given or are by default, for whoever reads the answer. */
  readonly given: ReadonlyMap<string, string>;
}

export function ofPipeline({ name, about, sql, parameters, rowsMax, msMax }: QueryPlan): NamedQuery {
  return { name, about, source: 'pipeline', parameters, rowsMax, msMax, sql: () => sql };
}

/** Throws an OperatingError that names the parameter, the value and what to write. */
export function bind(query: NamedQuery, texts: ReadonlyMap<string, string>): BoundQuery {
  const names = query.parameters.map(({ name }) => name);
  for (const name of texts.keys()) {
    if (names.includes(name)) continue;
    const close = nearest(name, names);
    const takes = names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`;
    const meant = close === undefined ? '' : `; did you mean ${close}?`;
    throw new OperatingError('bad_parameter', `no parameter of ${query.name}: ${shown(name)}${meant}; ${takes}`);
  }
  const values = new Map<string, string>();
  const choices = new Map<string, string>();
  const given = new Map<string, string>();
  for (const { name, type, default: otherwise, choices: allowed } of query.parameters) {
    const text = texts.get(name) ?? otherwise;
    const expected = allowed === undefined ? queryValueExpected(type) : `one of ${allowed.join(', ')}`;
    if (text === null)
      throw new OperatingError('bad_parameter', `${query.name} needs ${name}: give ${expected} as param.${name}`);
    const value = allowed === undefined ? queryValue(type, text) : allowed.includes(text) ? text : null;
    if (value === null)
      throw new OperatingError('bad_parameter', `param.${name} is not ${expected}: ${name}=${shown(text)}`);
    (allowed === undefined ? values : choices).set(name, value);
    given.set(name, text);
  }
  return { sql: query.sql(choices), values, given };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
