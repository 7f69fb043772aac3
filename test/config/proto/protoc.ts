/** protoc as oracle: what it makes of .proto files, in the words of `describeMessages`. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { ProtoMessage } from '../../../src/config/proto/index.ts';

export const hasProtoc = spawnSync('protoc', ['--version']).status === 0;

/** Text of a message's name and of each of its fields. */
export type Described = Record<string, string[]>;

interface FieldProto {
  readonly name: string;
  readonly number: number;
  readonly type: number;
  readonly label: number;
  readonly typeName: string;
  readonly jsonName: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}
interface EnumProto {
  readonly name: string;
  readonly value: readonly { readonly name: string; readonly number: number }[];
}
interface MessageProto {
  readonly name: string;
  readonly field: readonly FieldProto[];
  readonly nestedType: readonly MessageProto[];
  readonly enumType: readonly EnumProto[];
  readonly oneofDecl: readonly { readonly name: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}
interface FileProto {
  readonly package: string;
  readonly messageType: readonly MessageProto[];
  readonly enumType: readonly EnumProto[];
}

const TYPE_NAMES =
  ' double float int64 uint64 int32 fixed64 fixed32 bool string group message bytes uint32 enum sfixed32 sfixed64 sint32 sint64'.split(
    ' ',
  );
const REPEATED = 3;

const setType = protobuf
  .loadSync(join(import.meta.dirname, '../../../node_modules/protobufjs/google/protobuf/descriptor.proto'))
  .lookupType('google.protobuf.FileDescriptorSet');

/** Messages that the files describe, or protoc's refusal. */
export function describedByProtoc(files: ReadonlyMap<string, string>): Described | string {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-protoc-'));
  try {
    mkdirSync(join(folder, 'in'));
    for (const [name, text] of files) writeFileSync(join(folder, 'in', name), text);
    const first = [...files.keys()][0]!;
    const args = ['--include_imports', `--descriptor_set_out=${folder}/out`, `-I${folder}/in`, first];
    const run = spawnSync('protoc', args, { encoding: 'utf8' });
    if (run.status !== 0) return run.stderr;
    const set = setType.toObject(setType.decode(readFileSync(join(folder, 'out'))), { arrays: true }) as {
      file: FileProto[];
    };
    const own = set.file.filter((file) => file.package !== 'google.protobuf');
    return describeFiles(own);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeFiles(files: readonly FileProto[]): Described {
  const enums = new Map<string, string>();
  const messages = new Map<string, MessageProto>();
  const enter = (scope: string, nested: readonly MessageProto[], own: readonly EnumProto[]): void => {
    for (const one of own) enums.set(`${scope}.${one.name}`, one.value.map((v) => `${v.name}=${v.number}`).join(' '));
    for (const one of nested) {
      messages.set(`${scope}.${one.name}`, one);
      enter(`${scope}.${one.name}`, one.nestedType, one.enumType);
    }
  };
  for (const file of files) enter(file.package ? `.${file.package}` : '', file.messageType, file.enumType);
  const typeText = (field: FieldProto): string =>
    `${TYPE_NAMES[field.type]}${field.typeName ? ` ${field.typeName}` : ''}${enums.has(field.typeName) ? ` {${enums.get(field.typeName)}}` : ''}`;
  const result: Described = {};
  for (const [name, message] of messages) {
    if (message.options?.mapEntry === true) continue;
    result[name.slice(1)] = message.field.map((field) => {
      const entry = messages.get(field.typeName);
      const isMap = entry?.options?.mapEntry === true;
      const type = isMap ? `map<${entry.field.map(typeText).join(', ')}>` : typeText(field);
      const inOneof = field.oneofIndex !== undefined && field.proto3Optional !== true;
      return fieldText(
        { name: field.name, jsonName: field.jsonName, number: field.number },
        type,
        field.label === REPEATED && !isMap,
        field.proto3Optional === true,
        inOneof ? message.oneofDecl[field.oneofIndex!]!.name : '',
      );
    });
  }
  return result;
}

export function describeMessages(messages: ReadonlyMap<string, ProtoMessage>): Described {
  const result: Described = {};
  for (const [name, message] of messages) {
    if (name.startsWith('google.protobuf.')) continue;
    result[name] = message.fields.map((field) => {
      const { type } = field;
      const value =
        type.kind === 'scalar'
          ? type.scalar
          : type.kind === 'message'
            ? `message .${type.message.fullName}`
            : `enum .${type.enum.fullName} {${type.enum.values.map(([number, one]) => `${one}=${number}`).join(' ')}}`;
      const text = field.mapKey === null ? value : `map<${field.mapKey}, ${value}>`;
      return fieldText(field, text, field.repeated, field.optional, field.oneof?.name ?? '');
    });
  }
  return result;
}

function fieldText(
  field: { readonly name: string; readonly jsonName: string; readonly number: number },
  type: string,
  repeated: boolean,
  optional: boolean,
  oneof: string,
): string {
  const label = repeated ? 'repeated ' : optional ? 'optional ' : '';
  return `${label}${type} ${field.name} ${JSON.stringify(field.jsonName)} = ${field.number}${oneof === '' ? '' : ` of ${oneof}`}`;
}
