/**
 * Flattens the pipeline's message into columns: nested messages become `parent_child`, the branches of the type oneof
 * `branch_field`. Makes the MessagePlan that the decoder is compiled from and the index of names for expressions.
 */

import { isWide } from '../../native-free-core/language/kinds/index.ts';
import { NESTING_MAX } from '../../native-free-core/layout/limits.ts';
import type { ColumnKind, FieldPlan, MessagePlan, ProtoScalar } from '../../native-free-core/plan/plan.ts';
import type { ColumnBuilder, ColumnRequest } from './columns.ts';
import type { Path } from './source.ts';
import type { Problems } from './problems.ts';
import { placeText, type ProtoEnum, type ProtoField, type ProtoMessage, type ProtoOneof } from './proto/index.ts';
import type { FieldDeclaration } from './schema.ts';

/** A field as expressions know it, by its path (`dig.depth`). */
export interface EventField {
  readonly path: string;
  /** Column or view; -1 for a message. */
  readonly column: number;
  readonly type: FieldPlan['type'];
  readonly repeated: boolean;
  /** Code of the type oneof's branch that this very field is, or -1. */
  readonly branch: number;
  readonly enumNames?: readonly (readonly [number, string])[];
  readonly enumName?: string;
  readonly declaration: FieldDeclaration;
}

export interface FlatMessage {
  readonly plan: MessagePlan;
  readonly fields: ReadonlyMap<string, EventField>;
  /** Labels of the type column: '' and the branches' names. */
  readonly typeLabels: readonly string[];
  readonly typeColumn: number;
}

const SCALAR_KINDS: Readonly<Record<ProtoScalar, ColumnKind>> = {
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

const MESSAGE_PATH: Path = ['events', 'message'];

export interface FlattenInput {
  readonly type: ProtoMessage;
  readonly typeOneof: string | undefined;
  readonly timePath: string;
  readonly idPath: string | undefined;
  /** `shared`: fields of branches share columns; undefined: where there are many. */
  readonly branchColumns: 'own' | 'shared' | undefined;
  readonly declarations: ReadonlyMap<string, FieldDeclaration>;
  readonly columns: ColumnBuilder;
  readonly problems: Problems;
  /** What is odd about the message and does not stop it. */
  readonly warnings: string[];
}

/** More fields in branches than these share columns: beyond, every row would carry hundreds of NULLs through every stage. */
const SHARED_FROM = 64;

interface Place {
  readonly path: readonly string[];
  /** Field numbers, which stay as the message grows. */
  readonly numbers: readonly number[];
  readonly shared: boolean;
  readonly nullable: boolean;
  /** Branch of the type oneof that the fields here belong to, or -1. */
  readonly branch: number;
  readonly within: readonly ProtoMessage[];
}

export function flattenMessage(input: FlattenInput): FlatMessage {
  const oneof = typeOneofOf(input);
  const typeLabels = oneof === null ? [] : ['', ...oneof.fields.map(({ name }) => name)];
  const typeColumn =
    oneof === null
      ? -1
      : input.columns.add(
          { name: oneof.name, kind: 'code', labels: typeLabels, comment: 'event type' },
          'the event type',
          ['events', 'type'],
        );
  const fields = new Map<string, EventField>();
  const shared = oneof !== null && (input.branchColumns ?? sharesByDefault(oneof)) === 'shared';
  const place = { path: [], numbers: [], shared, nullable: false, branch: -1, within: [input.type] };
  const plan = flattenFields(input, fields, place, typeLabels, oneof);
  return { plan, fields, typeLabels, typeColumn };
}

function sharesByDefault(oneof: ProtoOneof): 'own' | 'shared' {
  const leaves = ({ type, mapKey }: ProtoField, depth: number): number => {
    if (type.kind !== 'message' || mapKey !== null || depth === NESTING_MAX) return 1;
    return type.message.fields.reduce((sum, inner) => sum + leaves(inner, depth + 1), 0);
  };
  return oneof.fields.reduce((sum, field) => sum + leaves(field, 0), 0) > SHARED_FROM ? 'shared' : 'own';
}

function typeOneofOf({ type, typeOneof, problems }: FlattenInput): ProtoOneof | null {
  if (typeOneof === undefined) return null;
  const found = type.oneofs.find((oneof) => oneof.name === typeOneof);
  if (found === undefined) {
    const names = type.oneofs.map((oneof) => oneof.name).join(', ');
    problems.add(['events', 'type'], `${type.fullName} has no oneof ${typeOneof}; it has: ${names || 'none'}`);
  }
  if (type.fields.some(({ name }) => name === 'type')) {
    problems.add(
      ['events', 'type'],
      `the message has a field named type; event.type would mean both it and the oneof ${typeOneof}`,
    );
  }
  return found ?? null;
}

function flattenFields(
  input: FlattenInput,
  fields: Map<string, EventField>,
  place: Place,
  typeLabels: readonly string[],
  typeOneof: ProtoOneof | null,
): MessagePlan {
  const type = place.within.at(-1)!;
  const oneofs = type.oneofs.filter((oneof) => oneof !== typeOneof);
  const plans: FieldPlan[] = [];
  for (const field of type.fields) {
    const isBranch = typeOneof !== null && field.oneof === typeOneof;
    const branch = isBranch ? typeLabels.indexOf(field.name) : -1;
    const inside = branch >= 0 ? branch : place.branch;
    const nullable = place.nullable || hasPresence(field);
    const numbers = [...place.numbers, field.number];
    const next = { ...place, path: [...place.path, field.name], numbers, branch: inside, nullable };
    const oneof = field.oneof === null ? -1 : oneofs.indexOf(field.oneof);
    const plan = flattenField(input, fields, field, next, { branch, oneof });
    if (plan !== null) plans.push(plan);
  }
  const { numbers, names } = type.reserved;
  const reserved = numbers.length + names.length === 0 ? {} : { reserved: { numbers, names } };
  return { name: type.fullName, fields: plans, ...reserved };
}

const ANY = 'google.protobuf.Any';
const DECLARE = 'declare the fields that rules need, or a map<string, string>, or a string for the JSON as it came';
/** Messages whose values have types that only each event knows. */
const DYNAMIC: ReadonlyMap<string, string> = new Map([
  ['google.protobuf.Struct', `holds an object of any shape, which no columns can: ${DECLARE}`],
  ['google.protobuf.Value', `holds a value of any type, which no column can: ${DECLARE}`],
  ['google.protobuf.ListValue', `holds values of any type, which no column can: ${DECLARE}`],
]);

function anyWarning({ path }: Place, { place }: ProtoField): string {
  return `field ${path.join('.')} (${placeText(place)}): a google.protobuf.Any is stored as its type_url and its bytes; its own JSON form ({"@type": …}) is refused, {"typeUrl": …, "value": base64} is taken`;
}

/** Of a scalar: whether absence and the default differ. */
function hasPresence({ optional, oneof }: ProtoField): boolean {
  return optional || oneof !== null;
}

function flattenField(
  input: FlattenInput,
  fields: Map<string, EventField>,
  field: ProtoField,
  place: Place,
  member: { branch: number; oneof: number },
): FieldPlan | null {
  const { type } = field;
  const common = {
    number: field.number,
    name: field.name,
    jsonName: field.jsonName,
    repeated: field.repeated,
    ...member,
    ...(field.deprecated ? { deprecated: true } : {}),
  };
  const refuse = (reason: string): null => {
    input.problems.add(MESSAGE_PATH, `field ${place.path.join('.')} (${placeText(field.place)}): ${reason}`);
    return null;
  };
  if (field.mapKey !== null) return flattenMap(input, fields, field, place, common, refuse);
  if (type.kind === 'message') {
    const isTime = type.message.fullName === 'google.protobuf.Timestamp';
    const dynamic = DYNAMIC.get(type.message.fullName);
    if (dynamic !== undefined) return refuse(`${type.message.fullName} ${dynamic}`);
    if (type.message.fullName === ANY) input.warnings.push(anyWarning(place, field));
    if (field.repeated && !isTime) return refuse('repeated messages do not become columns');
    if (isTime) return leaf(input, fields, field, place, { ...common, type: 'timestamp' }, 'time');
    if (place.within.includes(type.message)) return refuse('a message within itself does not become columns');
    if (place.within.length >= NESTING_MAX) return refuse(`nested deeper than ${NESTING_MAX}`);
    const within = [...place.within, type.message];
    remember(fields, place, { type: 'message', column: -1, repeated: false, branch: member.branch });
    const message = flattenFields(input, fields, { ...place, nullable: true, within }, [], null);
    return { ...common, type: 'message', column: -1, message };
  }
  if (type.kind === 'enum') {
    return leaf(input, fields, field, place, { ...common, type: 'enum', ...enumOf(type.enum) }, 'enum');
  }
  return leaf(input, fields, field, place, { ...common, type: type.scalar }, SCALAR_KINDS[type.scalar]);
}

function leaf(
  input: FlattenInput,
  fields: Map<string, EventField>,
  field: ProtoField,
  place: Place,
  plan: Omit<FieldPlan, 'column'>,
  protoKind: ColumnKind,
): FieldPlan {
  const path = place.path.join('.');
  const isTime = path === input.timePath;
  const declared = input.declarations.get(path);
  const asDictionary = declared?.dictionary === true && protoKind === 'string' && !field.repeated;
  // The event's own time is stored as a time, whichever way the message writes it: both are 64-bit milliseconds.
  const asTime = isTime && isWide(protoKind);
  const kind = asTime ? 'time' : asDictionary ? 'dictionary' : protoKind;
  const request: ColumnRequest = {
    name: place.path.join('_'),
    kind,
    shape: field.repeated ? 'list' : 'scalar',
    nullable: !isTime && (place.nullable || plan.type === 'timestamp'),
    bool: plan.type === 'bool',
    ...(plan.enumNames === undefined ? {} : { enumNames: plan.enumNames }),
    comment: declared?.comment ?? commentOf(field),
    branch: place.branch,
  };
  const enumName = enumNameOf(field);
  // The engine's own columns and lists stay whole.
  const isShared = place.shared && place.branch >= 0 && !field.repeated && !isTime && path !== input.idPath;
  const slotName = `_${[enumName ?? (plan.type === 'bool' ? 'bool' : kind), ...place.numbers.slice(1)].join('_').replace(/\W+/g, '_')}`;
  const { view, slot } = isShared
    ? input.columns.addView(request, slotName, `event.${path}`, MESSAGE_PATH)
    : ownColumn(input.columns.add(request, `event.${path}`, MESSAGE_PATH));
  remember(fields, place, {
    type: plan.type,
    column: view,
    repeated: field.repeated,
    branch: plan.branch,
    ...(plan.enumNames === undefined ? {} : { enumNames: plan.enumNames, enumName: enumName ?? '' }),
    declaration: declared ?? {},
  });
  // Where its message is there and the field is not, proto3 means the default, not absence.
  const implicit = !field.repeated && plan.type !== 'timestamp' && !hasPresence(field);
  return { ...plan, column: slot, ...(implicit ? { implicit } : {}) };
}

function ownColumn(column: number): { view: number; slot: number } {
  return { view: column, slot: column };
}

function flattenMap(
  input: FlattenInput,
  fields: Map<string, EventField>,
  field: ProtoField,
  place: Place,
  common: Pick<FieldPlan, 'number' | 'name' | 'jsonName' | 'repeated' | 'branch' | 'oneof'>,
  refuse: (reason: string) => null,
): FieldPlan | null {
  const { type, mapKey } = field;
  if (mapKey !== 'string') return refuse(`a map’s keys must be strings, not ${mapKey}`);
  if (type.kind === 'message') return refuse('a map’s values must be scalars or enums');
  const kind = type.kind === 'enum' ? 'enum' : SCALAR_KINDS[type.scalar];
  const mapValue = type.kind === 'enum' ? 'enum' : type.scalar;
  const enumPlan = type.kind === 'enum' ? enumOf(type.enum) : {};
  const column = input.columns.add(
    {
      name: place.path.join('_'),
      kind,
      shape: 'map',
      bool: mapValue === 'bool',
      ...(enumPlan.enumNames === undefined ? {} : { enumNames: enumPlan.enumNames }),
      comment: commentOf(field),
      branch: place.branch,
    },
    `event.${place.path.join('.')}`,
    MESSAGE_PATH,
  );
  remember(fields, place, { type: 'map', column, repeated: false, branch: -1 });
  return { ...common, repeated: false, type: 'map', column, mapValue, ...enumPlan };
}

function remember(
  fields: Map<string, EventField>,
  place: Place,
  field: Omit<EventField, 'path' | 'declaration'> & { declaration?: FieldDeclaration },
): void {
  const path = place.path.join('.');
  fields.set(path, { declaration: {}, ...field, path });
}

function enumOf(type: ProtoEnum): Pick<FieldPlan, 'enumNames' | 'enumReserved'> {
  const numbers = type.reservedNumbers;
  return { enumNames: namesOf(type), ...(numbers.length === 0 ? {} : { enumReserved: numbers }) };
}

/** The first of a number's names. */
function namesOf(type: ProtoEnum): (readonly [number, string])[] {
  const names = new Map<number, string>();
  for (const [number, name] of type.values) if (!names.has(number)) names.set(number, name);
  return [...names].sort(([a], [b]) => a - b);
}

function enumNameOf({ type }: ProtoField): string | undefined {
  if (type.kind === 'scalar') return undefined;
  return `.${type.kind === 'enum' ? type.enum.fullName : type.message.fullName}`;
}

function commentOf(field: ProtoField): string {
  return field.comment.split('\n')[0]!.trim();
}
