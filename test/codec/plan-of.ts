/**
 * A plan made straight from a protobufjs type, for the codec's tests: one column a field, named by its path. src/config
 * makes the real ones from a pipeline file; the codec does not care where a plan comes from.
 */

import protobuf from 'protobufjs';
import { createColumn, type Column } from '../../native-free-core/layout/column.ts';
import type { DictionaryIntern } from '../../native-free-core/layout/dictionary-intern.ts';
import type {
  ColumnKind,
  ColumnPlan,
  FieldPlan,
  MessagePlan,
  Plan,
  ProtoScalar,
} from '../../native-free-core/plan/plan.ts';

export interface PlanOptions {
  /** Name of the oneof whose members are the event types. */
  readonly typeOneof?: string;
  /** Whether the string field at this path is a dictionary column. */
  readonly dictionary?: (path: string) => boolean;
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  double: 'f64',
  float: 'f32',
  int32: 'i32',
  sint32: 'i32',
  sfixed32: 'i32',
  uint32: 'u32',
  fixed32: 'u32',
  int64: 'i64',
  sint64: 'i64',
  sfixed64: 'i64',
  uint64: 'u64',
  fixed64: 'u64',
  bool: 'u8',
  string: 'string',
  bytes: 'bytes',
};

interface Building {
  readonly columns: ColumnPlan[];
  readonly options: PlanOptions;
}

export function parseProto(text: string): protobuf.Root {
  const root = new protobuf.Root();
  root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!);
  protobuf.parse(text, root, { keepCase: true });
  root.resolveAll();
  return root;
}

/** Presence of its own: `optional`, or a member of a oneof. */
export function hasPresence(field: protobuf.Field): boolean {
  return field.partOf !== null && field.partOf !== undefined;
}

/** The oneof that a user wrote; the one that protobufjs makes for `optional` is none. */
export function realOneof(field: protobuf.Field): protobuf.OneOf | undefined {
  const oneof = field.partOf ?? undefined;
  return oneof === undefined || field.options?.['proto3_optional'] === true ? undefined : oneof;
}

function addColumn(
  b: Building,
  name: string,
  kind: ColumnKind,
  shape: ColumnPlan['shape'],
  nullable: boolean,
  branch: number,
): number {
  const index = b.columns.length;
  b.columns.push({ index, name, kind, shape, nullable, clickhouseType: '', codec: '', comment: '', branch });
  return index;
}

function enumNamesOf(type: protobuf.Enum): [number, string][] {
  return Object.entries(type.values).map(([name, number]) => [number, name]);
}

function fieldOf(
  b: Building,
  field: protobuf.Field,
  prefix: string,
  branch: number,
  inMessage: boolean,
  oneofs: protobuf.OneOf[],
): FieldPlan {
  field.resolve();
  const path = `${prefix}${field.name}`;
  const oneof = realOneof(field);
  const isType = prefix === '' && oneof !== undefined && oneof.name === b.options.typeOneof;
  const ownBranch = isType ? oneof.oneof.indexOf(field.name) + 1 : -1;
  const below = ownBranch > 0 ? ownBranch : branch;
  const common = {
    number: field.id,
    name: field.name,
    jsonName: field.name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    branch: ownBranch,
    oneof: oneof !== undefined && !isType ? oneofs.indexOf(oneof) : -1,
  };
  const isEnum = field.resolvedType instanceof protobuf.Enum;
  const enumNames = isEnum ? { enumNames: enumNamesOf(field.resolvedType as protobuf.Enum) } : {};
  if (field instanceof protobuf.MapField) {
    const kind = isEnum ? 'enum' : kindOf(b, field.type, path);
    const column = addColumn(b, path, kind, 'map', false, below);
    return {
      ...common,
      ...enumNames,
      type: 'map',
      repeated: false,
      column,
      mapValue: isEnum ? 'enum' : (field.type as ProtoScalar),
    };
  }
  const presence = hasPresence(field);
  const shape = field.repeated ? 'list' : 'scalar';
  const nullable = !field.repeated && (presence || inMessage);
  const implicit = !field.repeated && !presence;
  if (field.resolvedType instanceof protobuf.Type) {
    if (field.resolvedType.fullName === '.google.protobuf.Timestamp') {
      // A message has presence, in whatever message it is.
      return {
        ...common,
        type: 'timestamp',
        repeated: field.repeated,
        column: addColumn(b, path, 'time', shape, !field.repeated, below),
      };
    }
    const message = messageOf(b, field.resolvedType, `${path}_`, below, true);
    return { ...common, type: 'message', repeated: false, column: -1, message };
  }
  const kind = isEnum ? 'enum' : kindOf(b, field.type, path);
  const type = isEnum ? 'enum' : (field.type as ProtoScalar);
  return {
    ...common,
    ...enumNames,
    type,
    repeated: field.repeated,
    column: addColumn(b, path, kind, shape, nullable, below),
    implicit,
  };
}

function kindOf(b: Building, type: string, path: string): ColumnKind {
  return type === 'string' && b.options.dictionary?.(path) === true ? 'dictionary' : KINDS[type]!;
}

function messageOf(b: Building, type: protobuf.Type, prefix: string, branch: number, inMessage: boolean): MessagePlan {
  const oneofs = type.oneofsArray;
  return {
    name: type.name,
    fields: type.fieldsArray.map((field) => fieldOf(b, field, prefix, branch, inMessage, oneofs)),
  };
}

export function planOf(type: protobuf.Type, options: PlanOptions = {}): Plan {
  const b: Building = { columns: [], options };
  const typeColumn = options.typeOneof === undefined ? -1 : addColumn(b, '$type', 'code', 'scalar', false, -1);
  const message = messageOf(b, type, '', -1, false);
  return {
    pipeline: 'test',
    owner: '',
    version: '',
    versionNumber: 1,
    message,
    columns: b.columns,
    system: {
      eventId: -1,
      eventTime: -1,
      receivedAt: -1,
      effectiveTime: -1,
      type: typeColumn,
      producer: -1,
      frameSeq: -1,
      frameIndex: -1,
      overflow: -1,
    },
    acceptMaxAgeMs: 0,
    acceptMaxFutureMs: 0,
    maxFutureSkewMs: 0,
    dedupWindowMs: 0,
    dedupIdsMax: 0,
    dictionaryMax: 0,
    entities: [],
    decisions: [],
    source: '',
  };
}

export function columnsOf(plan: Plan, rows: number): Column[] {
  return plan.columns.map((column) => createColumn(column, rows));
}

/** A dictionary that a test can read back. */
export class TestDictionary implements DictionaryIntern {
  readonly texts: string[] = [''];
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #max: number;

  constructor(max = Infinity) {
    this.#max = max;
  }

  intern(bytes: Uint8Array, start: number, length: number): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
    let id = this.#ids.get(text);
    if (id === undefined) {
      if (this.texts.length >= this.#max) return -1;
      id = this.texts.push(text) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }
}
