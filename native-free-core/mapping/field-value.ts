/**
 * Text of a table as the JSON value that the field's type wants. What cannot be converted stays text: the decoder refuses
 * it, and it is kept.
 */

import type { FieldPlan, ProtoScalar } from '../plan/plan.ts';

type Convert = (text: string) => unknown;

const INTEGER = /^[+-]?\d+$/;
/** As programs write whole numbers that have been floating ones: 17850.0. */
const WHOLE = /^([+-]?\d+)\.0*$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const TRUE = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', '0']);
/** Date, time of day, fraction, zone; a blank or T between. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[ Tt](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)? ?(Z|z|UTC|[+-]\d{2}:?\d{2})?$/;

/** How values of this field are read. An empty text is not asked for: it means absent. */
export function converterOf(field: FieldPlan): Convert {
  const one = scalarConverter(field.type);
  if (field.type === 'map' || field.type === 'message') return asJson;
  if (!field.repeated) return one;
  return (text) => {
    const list = text.startsWith('[') ? asJson(text) : [text];
    return Array.isArray(list) ? list.map((value) => (typeof value === 'string' ? one(value) : value)) : list;
  };
}

function scalarConverter(type: FieldPlan['type']): Convert {
  switch (type) {
    case 'string':
    case 'bytes':
    case 'message':
    case 'map':
      return (text) => text;
    case 'bool':
      return asBoolean;
    case 'float':
    case 'double':
      return (text) => (NUMBER.test(text.trim()) ? Number(text) : text);
    case 'timestamp':
      return asTime;
    default:
      return asInteger satisfies (text: string, type?: ProtoScalar | 'enum') => unknown;
  }
}

/** Beyond 2^53 as text, which JSON's mapping of protobuf takes, digits and all. Names of enums stay as they are. */
function asInteger(text: string): unknown {
  const trimmed = text.trim();
  const digits = WHOLE.exec(trimmed)?.[1] ?? trimmed;
  if (!INTEGER.test(digits)) return text;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : digits.replace(/^\+/, '');
}

function asBoolean(text: string): unknown {
  const lower = text.trim().toLowerCase();
  return TRUE.has(lower) ? true : FALSE.has(lower) ? false : text;
}

/** RFC 3339; without a zone it is UTC. */
export function asTime(text: string): unknown {
  const match = TIME.exec(text.trim());
  if (match === null) return text;
  const [, date, minutes = '00:00', seconds = ':00', zone = 'Z'] = match;
  const offset = zone === 'UTC' || zone === 'z' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  return `${date}T${minutes}${seconds}${offset}`;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
