/**
 * Puts every name of a file into the table of symbols, and refuses a second one of the same name in one scope: fields,
 * oneofs, types and the values of enums share the scope of the message that they stand in, as in C++. Used by link.ts.
 */

import { placeText, protoProblem, type Place, type ProtoProblem } from './place.ts';
import { joinName, type ProtoSymbol, type SymbolKind, type SymbolTable } from './symbols.ts';
import type { BodySyntax, EnumSyntax, FieldSyntax, FileSyntax, MessageSyntax, Word } from './proto-syntax.ts';
import type { ProtoEnum, ProtoMessage } from './types.ts';

export interface Declared {
  readonly table: SymbolTable;
  /** With the scope that each stands in. */
  readonly messages: { readonly file: FileSyntax; readonly syntax: MessageSyntax; readonly message: ProtoMessage }[];
  readonly enums: { readonly file: FileSyntax; readonly syntax: EnumSyntax; readonly fullName: string }[];
  readonly problems: ProtoProblem[];
}

export function emptyDeclared(): Declared {
  return { table: new Map(), messages: [], enums: [], problems: [] };
}

export function declareFile(declared: Declared, file: FileSyntax): void {
  declarePackage(declared, file);
  const scope = file.packageName.text;
  declareBody(declared, file, file, scope);
  for (const service of file.services) {
    const fullName = declare(declared, file, 'service', service.name, scope);
    for (const method of service.methods) declare(declared, file, 'method', method.name, fullName);
  }
}

function declarePackage({ table, problems }: Declared, file: FileSyntax): void {
  const { text, place } = file.packageName;
  const parts = text === '' ? [] : text.split('.');
  for (let count = 1; count <= parts.length; count++) {
    const fullName = parts.slice(0, count).join('.');
    const known = table.get(fullName);
    if (known === undefined) table.set(fullName, { kind: 'package', fullName, place, files: new Set([file]) });
    else if (known.kind === 'package') known.files.add(file);
    else
      problems.push(
        protoProblem(place, `${fullName} is declared already (${known.kind}) at ${placeText(known.place)}`),
      );
  }
}

function declareBody(declared: Declared, file: FileSyntax, body: BodySyntax, scope: string): void {
  for (const message of body.messages) declareMessage(declared, file, message, scope);
  for (const one of body.enums) declareEnum(declared, file, one, scope);
  for (const { fields } of body.extends) for (const { name } of fields) declare(declared, file, 'field', name, scope);
}

function declareMessage(declared: Declared, file: FileSyntax, syntax: MessageSyntax, scope: string): void {
  const fullName = joinName(scope, syntax.name.text);
  const numbers = syntax.reserved.ranges.map(({ first, last }) => [first, last] as const);
  const reserved = { numbers, names: syntax.reserved.names.map(({ text }) => text) };
  const message: ProtoMessage = { fullName, fields: [], oneofs: [], reserved };
  declare(declared, file, 'message', syntax.name, scope, { message });
  declared.messages.push({ file, syntax, message });
  for (const { name } of syntax.fields) declare(declared, file, 'field', name, fullName);
  for (const { name } of syntax.oneofs) declare(declared, file, 'oneof', name, fullName);
  for (const field of syntax.fields) {
    if (field.mapKey !== null) declare(declared, file, 'map entry', entryName(field), fullName);
  }
  declareBody(declared, file, syntax, fullName);
}

/** The message that protoc makes of a map's key and value. */
function entryName({ name }: FieldSyntax): Word {
  const text = name.text.replace(/(?:^_*|_+)([a-z0-9A-Z]?)/g, (_, letter: string) => letter.toUpperCase());
  return { text: `${text}Entry`, place: name.place };
}

function declareEnum(declared: Declared, file: FileSyntax, syntax: EnumSyntax, scope: string): void {
  const fullName = joinName(scope, syntax.name.text);
  const result: ProtoEnum = {
    fullName,
    values: syntax.values.map(({ number, name }) => [number, name.text] as const),
    reservedNumbers: syntax.reserved.ranges.map(({ first, last }) => [first, last] as const),
  };
  declare(declared, file, 'enum', syntax.name, scope, { enum: result });
  declared.enums.push({ file, syntax, fullName });
  for (const { name } of syntax.values) declare(declared, file, 'enum value', name, scope);
}

/** Gives the full name. */
function declare(
  { table, problems }: Declared,
  file: FileSyntax,
  kind: SymbolKind,
  name: Word,
  scope: string,
  meaning: Pick<ProtoSymbol, 'message' | 'enum'> = {},
): string {
  const fullName = joinName(scope, name.text);
  const known = table.get(fullName);
  if (known === undefined)
    table.set(fullName, { kind, fullName, place: name.place, files: new Set([file]), ...meaning });
  else problems.push(protoProblem(name.place, alreadyDeclared(kind, fullName, known.kind, known.place)));
  return fullName;
}

function alreadyDeclared(kind: SymbolKind, fullName: string, known: SymbolKind, at: Place): string {
  const scoping = kind === 'enum value' ? '; values of an enum share the scope that the enum stands in, as in C++' : '';
  const made = kind === 'map entry' ? ', which the map would make,' : '';
  return `${fullName}${made} is declared already (${known}) at ${placeText(at)}${scoping}`;
}
