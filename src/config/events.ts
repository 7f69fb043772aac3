/** The `events:` section: the message, its id and time, and its import of columns and keys. */

import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { ColumnBuilder } from './columns.ts';
import { flattenMessage, type FlatMessage } from './flatten-message.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import { loadProto, ProtoProblem, type LoadedProto, type ProtoMessage, type ProtoReader } from './proto/index.ts';
import type { Problems } from './problems.ts';
import type { PipelineDeclaration } from './schema.ts';
import type { Path } from './source.ts';

type Events = PipelineDeclaration['events'];

export interface CompiledEvents {
  readonly message: FlatMessage;
  readonly proto: LoadedProto;
  readonly idColumn: number;
  readonly timeColumn: number;
  readonly importMap: ImportMap;
  readonly warnings: readonly string[];
}

const ID_TYPES = new Set([
  'string',
  'bytes',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
]);
const TIME_TYPES = new Set(['timestamp', 'int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

/** null where the message itself cannot be found. */
export function compileEvents(
  events: Events,
  columns: ColumnBuilder,
  problems: Problems,
  read: ProtoReader,
): CompiledEvents | null {
  const proto = loadOrReport(events.proto, read, problems);
  const type = proto && findMessage(proto, events.message, problems);
  if (proto === null || type === null) return null;
  const warnings: string[] = [];
  const message = flattenMessage({
    type,
    typeOneof: events.type,
    timePath: events.time,
    idPath: events.id,
    branchColumns: events.branch_columns,
    declarations: new Map(Object.entries(events.fields ?? {})),
    columns,
    problems,
    warnings,
  });
  checkDeclarations(events, message, problems);
  if (events.id === undefined && events.dedup !== undefined)
    problems.addAtKey(['events', 'dedup'], 'dedup needs events.id');
  return {
    message,
    proto,
    idColumn:
      events.id === undefined
        ? -1
        : columnOf(message, events.id, ID_TYPES, ['events', 'id'], 'a string or an integer', problems),
    timeColumn: columnOf(
      message,
      events.time,
      TIME_TYPES,
      ['events', 'time'],
      'a google.protobuf.Timestamp or a 64-bit integer of milliseconds',
      problems,
    ),
    importMap: events.import ?? {},
    warnings,
  };
}

function loadOrReport(name: string, read: ProtoReader, problems: Problems): LoadedProto | null {
  try {
    return loadProto(name, read);
  } catch (error) {
    if (!(error instanceof ProtoProblem)) throw error;
    for (const line of error.lines) problems.add(['events', 'proto'], line);
    return null;
  }
}

function findMessage({ messages }: LoadedProto, name: string, problems: Problems): ProtoMessage | null {
  const found = messages.get(name);
  if (found !== undefined) return found;
  problems.add(['events', 'message'], `no such message: ${name}`, nearest(name, messages.keys()));
  return null;
}

function columnOf(
  message: FlatMessage,
  name: string,
  types: ReadonlySet<string>,
  path: Path,
  wanted: string,
  problems: Problems,
): number {
  const field = message.fields.get(name);
  if (field === undefined) {
    problems.add(path, `unknown field: ${name}`, nearest(name, message.fields.keys()));
    return -1;
  }
  if (field.repeated || !types.has(field.type)) problems.add(path, `${name} must be ${wanted}`);
  return field.column;
}

function checkDeclarations(events: Events, message: FlatMessage, problems: Problems): void {
  for (const [name, declaration] of Object.entries(events.fields ?? {})) {
    const path: Path = ['events', 'fields', name];
    const field = message.fields.get(name);
    if (field === undefined) problems.addAtKey(path, `unknown field: ${name}`, nearest(name, message.fields.keys()));
    else {
      if (declaration.decimals !== undefined && field.type !== 'double' && field.type !== 'float') {
        problems.addAtKey([...path, 'decimals'], `${name} is no fractional number: leave decimals out`);
      }
      if (declaration.dictionary === true && (field.type !== 'string' || field.repeated)) {
        problems.addAtKey([...path, 'dictionary'], `${name} is no string: only a string field can be a dictionary`);
      }
    }
  }
  for (const name of Object.keys(events.import ?? {})) {
    const field = message.fields.get(name);
    if (field === undefined || field.type === 'message') {
      problems.addAtKey(['events', 'import', name], `unknown field: ${name}`, nearest(name, message.fields.keys()));
    }
  }
}
