/** What protoc refuses in a message or enum whose names are resolved. Used by link.ts. */

import { FIELD_NUMBER_MAX } from './parse-options.ts';
import { protoProblem, type Place, type ProtoProblem } from './place.ts';
import type { EnumSyntax, FieldSyntax, MessageSyntax, OptionSyntax, ReservedSyntax } from './proto-syntax.ts';
import type { ProtoField } from './types.ts';

/** Protobuf's own. */
const LIBRARY_NUMBERS = [19_000, 19_999] as const;

type Report = (place: Place, message: string) => void;

export function checkMessage(syntax: MessageSyntax, fields: readonly ProtoField[], problems: ProtoProblem[]): void {
  const report: Report = (place, message) => problems.push(protoProblem(place, message));
  checkReserved(syntax.reserved, report);
  const byNumber = new Map<number, string>();
  for (const field of syntax.fields) {
    checkFieldNumber(field, report);
    const other = byNumber.get(field.number);
    if (other === undefined) byNumber.set(field.number, field.name.text);
    else report(field.numberPlace, `number ${field.number} is ${other}’s already`);
    checkUse(syntax.reserved, field.name.text, field.number, field.name.place, report);
  }
  checkJsonNames(fields, report);
  for (const { name, value } of syntax.options) {
    if (name.text === 'map_entry') report(name.place, 'map_entry is not set by hand: write map<key, value>');
    if (name.text === 'message_set_wire_format' && value.text === 'true')
      report(name.place, 'proto3 has no message sets');
  }
}

export function checkFieldNumber(field: FieldSyntax, report: Report): void {
  const { number, numberPlace } = field;
  if (number === 0) report(numberPlace, `a field’s number is from 1 to ${FIELD_NUMBER_MAX}`);
  if (number >= LIBRARY_NUMBERS[0] && number <= LIBRARY_NUMBERS[1]) {
    report(numberPlace, `numbers from ${LIBRARY_NUMBERS[0]} to ${LIBRARY_NUMBERS[1]} are protobuf’s own`);
  }
}

function checkReserved({ ranges, names }: ReservedSyntax, report: Report): void {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  sorted.forEach(({ first, last, place }, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && first <= before.last) {
      report(place, `${first} to ${last} overlaps with ${before.first} to ${before.last}, reserved already`);
    }
  });
  const seen = new Set<string>();
  for (const { text, place } of names) {
    if (seen.has(text)) report(place, `${text} is reserved twice`);
    seen.add(text);
  }
}

function checkUse(reserved: ReservedSyntax, name: string, number: number, place: Place, report: Report): void {
  if (reserved.ranges.some(({ first, last }) => number >= first && number <= last)) {
    report(place, `${name} uses the reserved number ${number}`);
  }
  if (reserved.names.some(({ text }) => text === name)) report(place, `the name ${name} is reserved`);
}

/**
 * Of one JSON key must never be two meanings. Events may use a field's JSON name or its own, so a declared JSON name that is
 * another field's own is refused too, which protoc allows.
 */
function checkJsonNames(fields: readonly ProtoField[], report: Report): void {
  const byDefault = new Map<string, ProtoField>();
  const byName = new Map<string, ProtoField>(fields.map((field) => [field.name, field]));
  const byJsonName = new Map<string, ProtoField>();
  for (const field of fields) {
    const other =
      takeKey(byJsonName, field.jsonName, field) ??
      takeKey(byDefault, jsonNameOf(field.name), field) ??
      otherThan(byName.get(field.jsonName), field);
    if (other !== undefined) {
      report(field.place, `the JSON name ${field.jsonName} of ${field.name} collides with that of ${other.name}`);
    }
  }
}

function takeKey(taken: Map<string, ProtoField>, key: string, field: ProtoField): ProtoField | undefined {
  const other = taken.get(key);
  if (other === undefined) taken.set(key, field);
  return other;
}

function otherThan(found: ProtoField | undefined, field: ProtoField): ProtoField | undefined {
  return found === field ? undefined : found;
}

/** What protoc makes of a field's name. */
export function jsonNameOf(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.replace(/[a-z]/, (small) => small.toUpperCase()));
}

export function checkEnum(syntax: EnumSyntax, problems: ProtoProblem[]): void {
  const report: Report = (place, message) => problems.push(protoProblem(place, message));
  const { name, values, reserved } = syntax;
  const allowsAlias = flagOf(syntax.options, 'allow_alias', report);
  checkReserved(reserved, report);
  const first = values[0];
  if (first === undefined) report(name.place, `the enum ${name.text} needs at least one value`);
  else if (first.number !== 0) report(first.place, 'the first value of an enum is 0 in proto3');
  const byNumber = new Map<number, string>();
  let aliases = 0;
  for (const value of values) {
    const other = byNumber.get(value.number);
    if (other === undefined) byNumber.set(value.number, value.name.text);
    else if (++aliases > 0 && !allowsAlias) {
      report(
        value.place,
        `${value.number} is ${other} already: another name for it asks for option allow_alias = true;`,
      );
    }
    checkUse(reserved, value.name.text, value.number, value.name.place, report);
  }
  if (allowsAlias && aliases === 0)
    report(name.place, `${name.text} allows aliases and has none: leave allow_alias out`);
  checkStrippedNames(syntax, report);
}

/** Languages with scoped enums drop the enum's name from those of its values: they must differ without it, too. */
function checkStrippedNames({ name, values }: EnumSyntax, report: Report): void {
  const prefix = name.text.replaceAll('_', '').toLowerCase();
  const seen = new Map<string, { text: string; number: number }>();
  for (const value of values) {
    const stripped = strippedName(value.name.text, prefix);
    const other = seen.get(stripped);
    if (other === undefined) seen.set(stripped, { text: value.name.text, number: value.number });
    else if (other.text !== value.name.text && other.number !== value.number) {
      report(value.name.place, `${value.name.text} and ${other.text} differ only in case, underscores or ${name.text}`);
    }
  }
}

function strippedName(value: string, prefix: string): string {
  let matched = 0;
  let at = 0;
  for (; at < value.length && matched < prefix.length; at++) {
    if (value[at] === '_') continue;
    if (value[at]!.toLowerCase() !== prefix[matched]) return camelOf(value);
    matched++;
  }
  if (matched < prefix.length) return camelOf(value);
  const rest = value.slice(at).replace(/^_+/, '');
  return camelOf(rest === '' ? value : rest);
}

function camelOf(name: string): string {
  return name.replace(
    /(?:^_*|_+)([^_]*)/g,
    (_, part: string) => part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase(),
  );
}

/** A yes or no among the options; given twice or otherwise it is refused. */
export function flagOf(options: readonly OptionSyntax[], name: string, report: Report): boolean {
  const found = options.filter((one) => one.name.text === name);
  for (const { name: word } of found.slice(1)) report(word.place, `${name} is set twice`);
  const value = found[0]?.value;
  if (value !== undefined && (found[0]!.isText || !/^(true|false)$/.test(value.text))) {
    report(value.place, `${name} must be true or false`);
  }
  return value?.text === 'true';
}
