/**
 * Names in a request's query and headers of ours that its route does not know: a mistyped `?producr=` must not be a frame
 * without a producer. Called by router.ts for every route that asks for a key.
 */

import { nearest } from '../../native-free-core/base/nearest.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { HttpProblem } from './http-answer.ts';
import type { Route } from './routes.ts';

const OURS = 'x-hunt-';
const KEY = 'key';
const KEY_HEADER = `${OURS}${KEY}`;

/** null: all of them are known, and given once. */
export function nameProblem(route: Route, head: RequestHead): HttpProblem | null {
  return (head.query === '' ? null : parameterProblem(route, head.query)) ?? headerProblem(route, head);
}

function parameterProblem({ path, parameters = [], named }: Route, query: string): HttpProblem | null {
  const seen = new Set<string>();
  for (const name of new URLSearchParams(query).keys()) {
    const isNamed = named !== undefined && name.startsWith(named) && name.length > named.length;
    const isKnown = isNamed || name === KEY || parameters.includes(name);
    if (isKnown && !seen.has(name)) {
      seen.add(name);
      continue;
    }
    const problem = isKnown ? `given twice: parameter=${name}` : `unknown parameter: ${name}${meant(name, parameters)}`;
    return {
      status: 400,
      code: 'bad_parameter',
      message: `${problem}; ${path} takes ${[...parameters, ...(named === undefined ? [] : [`${named}NAME`]), KEY].join(', ')}`,
    };
  }
  return null;
}

function headerProblem({ path, headers = [] }: Route, head: RequestHead): HttpProblem | null {
  for (const name of head.headers.keys()) {
    if (!name.startsWith(OURS) || name === KEY_HEADER || headers.includes(name)) continue;
    const message = `unknown header: ${name}${meant(name, headers)}; ${path} reads ${[...headers, KEY_HEADER].join(', ')}`;
    return { status: 400, code: 'bad_header', message };
  }
  return null;
}

function meant(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close === undefined ? '' : `; did you mean ${close}?`;
}
