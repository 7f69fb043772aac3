/** Types of ClickHouse's Native format as far as it takes to know where a column ends. Pure. Child process. */

import { EngineFailure } from '../engine-failure.ts';

/** How the values of a column lie in a block. */
export type NativeType =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'nullable'; readonly of: NativeType }
  | { readonly kind: 'array'; readonly of: NativeType }
  | { readonly kind: 'tuple'; readonly of: readonly NativeType[] }
  | { readonly kind: 'dictionary'; readonly of: NativeType };

const FIXED_BYTES: ReadonlyMap<string, number> = new Map([
  ['Nothing', 1],
  ['Bool', 1],
  ['Int8', 1],
  ['UInt8', 1],
  ['Enum8', 1],
  ['Int16', 2],
  ['UInt16', 2],
  ['Enum16', 2],
  ['Date', 2],
  ['BFloat16', 2],
  ['Int32', 4],
  ['UInt32', 4],
  ['Float32', 4],
  ['Date32', 4],
  ['DateTime', 4],
  ['Time', 4],
  ['IPv4', 4],
  ['Decimal32', 4],
  ['Int64', 8],
  ['UInt64', 8],
  ['Float64', 8],
  ['DateTime64', 8],
  ['Time64', 8],
  ['Decimal64', 8],
  ['Int128', 16],
  ['UInt128', 16],
  ['UUID', 16],
  ['IPv6', 16],
  ['Decimal128', 16],
  ['Int256', 32],
  ['UInt256', 32],
  ['Decimal256', 32],
]);

/** Names for other types. */
const POINT: NativeType = { kind: 'tuple', of: [fixed(8), fixed(8)] };
const RING: NativeType = { kind: 'array', of: POINT };
const POLYGON: NativeType = { kind: 'array', of: RING };
const ALIASES: ReadonlyMap<string, NativeType> = new Map<string, NativeType>([
  ['Point', POINT],
  ['Ring', RING],
  ['LineString', RING],
  ['Polygon', POLYGON],
  ['MultiLineString', POLYGON],
  ['MultiPolygon', { kind: 'array', of: POLYGON }],
]);

/** Digits up to which a Decimal takes so many bytes. */
const DECIMAL_BYTES = [
  [9, 4],
  [18, 8],
  [38, 16],
  [76, 32],
] as const;

/** Deeper nesting is refused rather than followed. */
const DEPTH_MAX = 50;

export function nativeType(text: string, depth = 0): NativeType {
  const parenthesis = text.indexOf('(');
  const name = parenthesis < 0 ? text : text.slice(0, parenthesis);
  const inner = parenthesis < 0 ? [] : argumentsOf(text.slice(parenthesis + 1, -1));
  const of = (argument: string): NativeType => {
    if (depth > DEPTH_MAX) throw unknown(text);
    return nativeType(argument, depth + 1);
  };
  const bytes = name.startsWith('Interval') ? 8 : FIXED_BYTES.get(name);
  if (bytes !== undefined) return fixed(bytes);
  const alias = ALIASES.get(name);
  if (alias !== undefined) return alias;
  const tuple = (): NativeType => ({ kind: 'tuple', of: inner.map((argument) => of(withoutName(argument))) });
  switch (name) {
    case 'String':
      return { kind: 'string' };
    case 'FixedString':
      return fixed(Number(inner[0]));
    case 'Decimal':
      return fixed(DECIMAL_BYTES.find(([digits]) => Number(inner[0]) <= digits)![1]);
    case 'Nullable':
      return { kind: 'nullable', of: of(inner[0]!) };
    case 'Array':
      return { kind: 'array', of: of(inner[0]!) };
    case 'Map':
    case 'Nested':
      return { kind: 'array', of: tuple() };
    case 'Tuple':
      return tuple();
    case 'LowCardinality':
      return dictionary(of(inner[0]!));
    case 'SimpleAggregateFunction':
      return of(inner.at(-1)!);
    default:
      throw unknown(text);
  }
}

function fixed(bytes: number): NativeType {
  return { kind: 'fixed', bytes };
}

/** Its keys are never NULL: the first one stands for it. */
function dictionary(of: NativeType): NativeType {
  return { kind: 'dictionary', of: of.kind === 'nullable' ? of.of : of };
}

function unknown(text: string): EngineFailure {
  return new EngineFailure(
    48,
    'NOT_IMPLEMENTED',
    `Type ${text} cannot be sent in the Native format of client_protocol_version here: select it as a text, toString(column)`,
  );
}

/** Parts between commas that stand in no parenthesis and no quotes. */
function argumentsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote !== '') {
      if (character === '\\') at++;
      else if (character === quote) quote = '';
    } else if (character === "'" || character === '`') quote = character;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

/** `a UInt8` or `` `a b` UInt8`` of a tuple whose elements have names. */
function withoutName(argument: string): string {
  const named = /^(?:`(?:[^`\\]|\\.)*`|[A-Za-z_]\w*) +(?=[A-Z])/.exec(argument);
  return named === null ? argument : argument.slice(named[0].length);
}
