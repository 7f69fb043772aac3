/**
 * ClickHouse types of the engine's columns, taken apart: which type holds the values of two of them, so that a column can
 * widen in place and rows of both versions of a pipeline fit into it.
 */

import { KINDS } from '../../../native-free-core/language/kinds/index.ts';

interface ColumnType {
  /** `` for a scalar, `Array(` or `Map(String,`. */
  readonly shape: string;
  readonly lowCardinality: boolean;
  readonly nullable: boolean;
  readonly base: string;
}

/** Every value of the first is one of the others, as the engine converts them. */
const WIDER: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(KINDS).flatMap(({ clickhouse: { types }, widensTo }) =>
    types.map((type, i): [string, readonly string[]] => [
      type,
      [...types.slice(i + 1), ...widensTo.map((kind) => KINDS[kind].clickhouse.type)],
    ]),
  ),
);

/**
 * The type that holds what a column has and what a plan wants of it: the plan's, but as wide and as nullable as the column
 * is. null: there is none.
 */
export function commonType(has: string, wants: string): string | null {
  const a = parse(has);
  const b = parse(wants);
  const base = widerBase(a.base, b.base);
  if (a.shape !== b.shape || base === null) return null;
  return typeText({ ...b, base, nullable: a.nullable || b.nullable });
}

function widerBase(a: string, b: string): string | null {
  if (a === b || WIDER.get(a)?.includes(b) === true) return b;
  return WIDER.get(b)?.includes(a) === true ? a : null;
}

function parse(text: string): ColumnType {
  let base = text.replaceAll(' ', '');
  const unwrap = (opening: string): boolean => {
    if (!base.startsWith(opening)) return false;
    base = base.slice(opening.length, -1);
    return true;
  };
  const shape = ['Array(', 'Map(String,'].find(unwrap) ?? '';
  const lowCardinality = unwrap('LowCardinality(');
  const nullable = unwrap('Nullable(');
  return { shape, lowCardinality, nullable, base };
}

function typeText({ shape, lowCardinality, nullable, base }: ColumnType): string {
  const value = nullable ? `Nullable(${base})` : base;
  const full = lowCardinality ? `LowCardinality(${value})` : value;
  return shape === '' ? full : `${shape}${full})`;
}

export function sameType(a: string, b: string): boolean {
  return a.replaceAll(' ', '') === b.replaceAll(' ', '');
}
