/** Resolves the names of parsed files and checks what protoc checks. Used by load-proto.ts. */

import type { ProtoScalar } from '../../../native-free-core/plan/plan.ts';
import { declareFile, emptyDeclared, type Declared } from './declare.ts';
import { protoProblem, ProtoProblem, type Place } from './place.ts';
import { checkEnum, checkMessage, checkFieldNumber, flagOf, jsonNameOf } from './rules.ts';
import { joinName, resolveReference, resolveType, type ProtoSymbol, type Sight } from './symbols.ts';
import type { BodySyntax, FieldSyntax, FileSyntax, MessageSyntax, Word } from './proto-syntax.ts';
import type { ProtoField, ProtoMessage, ProtoOneof, ProtoType } from './types.ts';

const SCALARS: ReadonlySet<string> = new Set<ProtoScalar>([
  ...(['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64'] as const),
  ...(['fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string', 'bytes'] as const),
]);
const NO_MAP_KEYS: ReadonlySet<string> = new Set(['double', 'float', 'bytes']);
const NOT_PACKED: ReadonlySet<string> = new Set(['string', 'bytes']);

/** What proto3 lets one extend: the options of descriptor.proto. */
const EXTENDABLE = /^google\.protobuf\.(File|Message|Field|Oneof|Enum|EnumValue|Service|Method|ExtensionRange)Options$/;

/** More would only repeat the first mistake. */
const PROBLEMS_MAX = 20;

export interface FileWithImports {
  readonly syntax: FileSyntax;
  readonly imports: readonly { readonly file: FileWithImports; readonly isPublic: boolean }[];
}

interface Linker {
  readonly declared: Declared;
  readonly sight: Sight;
  readonly report: (place: Place, message: string) => void;
}

/** Messages by full name. Throws all problems at once. */
export function linkFiles(files: readonly FileWithImports[]): Map<string, ProtoMessage> {
  const declared = emptyDeclared();
  for (const { syntax } of files) declareFile(declared, syntax);
  const { problems, messages, enums, table } = declared;
  const report = (place: Place, message: string): void => void problems.push(protoProblem(place, message));
  for (const file of files) {
    const linker = { declared, sight: { table, files: visibleFrom(file) }, report };
    for (const one of messages) if (one.file === file.syntax) linkMessage(linker, one.syntax, one.message);
    linkExtends(linker, file.syntax, file.syntax.packageName.text);
    for (const { name, methods } of file.syntax.services) {
      const scope = joinName(file.syntax.packageName.text, name.text);
      for (const { input, output } of methods) for (const type of [input, output]) linkMethodType(linker, type, scope);
    }
  }
  for (const { syntax } of enums) checkEnum(syntax, problems);
  if (problems.length > 0) throw new ProtoProblem(problems.flatMap(({ lines }) => lines).slice(0, PROBLEMS_MAX));
  return new Map(messages.map(({ message }) => [message.fullName, message]));
}

function visibleFrom(file: FileWithImports): Set<FileSyntax> {
  const visible = new Set([file.syntax]);
  const enter = (one: FileWithImports): void => {
    if (visible.has(one.syntax)) return;
    visible.add(one.syntax);
    for (const next of one.imports) if (next.isPublic) enter(next.file);
  };
  for (const { file: imported } of file.imports) enter(imported);
  return visible;
}

function linkMessage(linker: Linker, syntax: MessageSyntax, message: ProtoMessage): void {
  const oneofs = new Map(syntax.oneofs.map((one): [unknown, ProtoOneof] => [one, { name: one.name.text, fields: [] }]));
  message.oneofs.push(...oneofs.values());
  for (const field of syntax.fields) {
    const linked = linkField(linker, field, message.fullName, oneofs.get(field.oneof) ?? null);
    if (linked === null) continue;
    message.fields.push(linked);
    linked.oneof?.fields.push(linked);
  }
  checkMessage(syntax, message.fields, linker.declared.problems);
  linkExtends(linker, syntax, message.fullName);
}

function linkField(
  { sight, report, declared }: Linker,
  field: FieldSyntax,
  scope: string,
  oneof: ProtoOneof | null,
): ProtoField | null {
  const type = typeOf(sight, field.type, scope, declared.problems);
  const keyType = field.mapKey?.text ?? null;
  if (keyType !== null && (!SCALARS.has(keyType) || NO_MAP_KEYS.has(keyType))) {
    report(field.mapKey!.place, `a map’s keys are integers, booleans or strings, not ${keyType}`);
  }
  const isRepeated = field.label === 'repeated';
  const packs = isRepeated && (type?.kind === 'enum' || (type?.kind === 'scalar' && !NOT_PACKED.has(type.scalar)));
  if (flagOf(field.options, 'packed', report) && !packs) {
    report(field.name.place, 'only repeated numbers, booleans and enums are packed');
  }
  const deprecated = flagOf(field.options, 'deprecated', report);
  const jsonName = declaredJsonName(field, report) ?? jsonNameOf(field.name.text);
  if (type === null) return null;
  return {
    name: field.name.text,
    jsonName,
    number: field.number,
    place: field.name.place,
    repeated: isRepeated,
    optional: field.label === 'optional',
    type,
    mapKey: keyType as ProtoScalar | null,
    oneof,
    deprecated,
    comment: field.comment,
  };
}

function typeOf(sight: Sight, name: Word, scope: string, problems: ProtoProblem[]): ProtoType | null {
  if (SCALARS.has(name.text)) return { kind: 'scalar', scalar: name.text as ProtoScalar };
  const symbol = resolveOrReport(() => resolveType(sight, name, scope), problems);
  if (symbol?.message !== undefined) return { kind: 'message', message: symbol.message };
  if (symbol?.enum !== undefined) return { kind: 'enum', enum: symbol.enum };
  if (symbol !== null)
    problems.push(protoProblem(name.place, `${name.text} is what a map is made of: no type of a field`));
  return null;
}

function resolveOrReport(resolve: () => ProtoSymbol, problems: ProtoProblem[]): ProtoSymbol | null {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof ProtoProblem)) throw error;
    problems.push(error);
    return null;
  }
}

function declaredJsonName({ options }: FieldSyntax, report: Linker['report']): string | undefined {
  const found = options.filter(({ name }) => name.text === 'json_name');
  for (const { name } of found.slice(1)) report(name.place, 'json_name is set twice');
  for (const { name } of options)
    if (name.text === 'default') report(name.place, 'proto3 has no defaults of one’s own');
  const option = found[0];
  if (option === undefined) return undefined;
  if (!option.isText) report(option.value.place, 'json_name must be a text');
  if (/\0/.test(option.value.text)) report(option.value.place, 'json_name cannot have a zero character');
  if (option.value.text === '__proto__')
    report(option.value.place, 'a JSON name cannot be __proto__: JavaScript loses it');
  return option.value.text;
}

/** Extensions become no columns; they are checked so that a mistyped one is not taken for right. */
function linkExtends(linker: Linker, body: BodySyntax, scope: string): void {
  const { sight, report, declared } = linker;
  for (const { extendee, fields } of body.extends) {
    const symbol = resolveOrReport(() => resolveReference(sight, extendee, scope), declared.problems);
    if (symbol !== null && !EXTENDABLE.test(symbol.fullName)) {
      report(extendee.place, `proto3 extends options of google/protobuf/descriptor.proto only, not ${extendee.text}`);
    }
    for (const field of fields) {
      checkFieldNumber(field, report);
      typeOf(sight, field.type, scope, declared.problems);
    }
  }
}

function linkMethodType({ sight, report, declared }: Linker, type: Word, scope: string): void {
  const symbol = resolveOrReport(() => resolveReference(sight, type, scope), declared.problems);
  if (symbol !== null && symbol.message === undefined) report(type.place, `${type.text} is no message`);
}
