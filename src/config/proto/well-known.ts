/**
 * Google's own .proto files that others import, as protoc carries them: without comments, and of descriptor.proto the
 * messages that options extend only. Used by load-proto.ts.
 */

import type { ProtoFile } from './place.ts';

const OPTIONS = ['File', 'Message', 'Field', 'Oneof', 'Enum', 'EnumValue', 'Service', 'Method', 'ExtensionRange'];
const WRAPPERS = {
  Double: 'double',
  Float: 'float',
  Int64: 'int64',
  UInt64: 'uint64',
  Int32: 'int32',
  UInt32: 'uint32',
  Bool: 'bool',
  String: 'string',
  Bytes: 'bytes',
};

const STRUCT = `
message Struct { map<string, Value> fields = 1; }
message Value {
  oneof kind {
    NullValue null_value = 1;
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
    Struct struct_value = 5;
    ListValue list_value = 6;
  }
}
enum NullValue { NULL_VALUE = 0; }
message ListValue { repeated Value values = 1; }`;

/** Name of the file -> what it declares. */
const BODIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    any: 'message Any { string type_url = 1; bytes value = 2; }',
    descriptor: OPTIONS.map((name) => `message ${name}Options {}`).join('\n'),
    duration: 'message Duration { int64 seconds = 1; int32 nanos = 2; }',
    empty: 'message Empty {}',
    field_mask: 'message FieldMask { repeated string paths = 1; }',
    source_context: 'message SourceContext { string file_name = 1; }',
    struct: STRUCT,
    timestamp: 'message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
    wrappers: Object.entries(WRAPPERS)
      .map(([name, type]) => `message ${name}Value { ${type} value = 1; }`)
      .join('\n'),
  }),
);

/** null: no file of that name comes with protobuf. */
export function wellKnownFile(name: string): ProtoFile | null {
  const short = /^google\/protobuf\/(\w+)\.proto$/.exec(name)?.[1];
  const body = short === undefined ? undefined : BODIES.get(short);
  return body === undefined ? null : { path: name, text: `syntax = "proto3"; package google.protobuf;\n${body}\n` };
}
