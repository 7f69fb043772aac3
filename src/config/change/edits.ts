/**
 * What can differ between two versions of a pipeline: of each edit the class, the reason that people read, and what
 * docs/versions.md says of it. The walkers over two plans (describe.ts calls them) find edits and their facts.
 */

import { lookup } from '../../../native-free-core/base/lookup.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import type { ColumnMap } from './column-map.ts';
import type { Edit, EditClass } from './description.ts';
import { WIDER } from './retype.ts';

interface EditRule<Reason extends string = string, Rollback extends string | null = string | null> {
  readonly class: EditClass;
  /** As docs/versions.md lists it. */
  readonly documentation: string;
  /** What and why; where it is refused, what to do instead. `{name}` stands for a fact. */
  readonly reason: Reason;
  /** In a rollback the edit is safe for this reason; null: it is none. Without it, a rollback is like any change. */
  readonly rollback: Rollback | undefined;
}

type Reasons = Readonly<Record<string, string>>;
type EditRules<All extends Reasons, Rollback extends string | null> = {
  readonly [Kind in keyof All]: EditRule<All[Kind], Rollback>;
};

/** Makes the rules of edits of one class that are documented together. */
function make(editClass: EditClass) {
  return <const All extends Reasons, const Rollback extends string | null = null>(
    documentation: string,
    reasons: All,
    rollback?: Rollback,
  ): EditRules<All, Rollback> =>
    Object.fromEntries(
      Object.entries(reasons).map(([kind, reason]) => [kind, { class: editClass, documentation, reason, rollback }]),
    ) as unknown as EditRules<All, Rollback>;
}

const safe = make('safe');
const backfill = make('backfill');
const refused = make('refused');

const SETTINGS = {
  ...safe('other `accept`, `max_future_skew`, `unknown_fields`', {
    setting_changed: '{was} becomes {is}: for events from then on',
  }),
  ...safe('other `dedup`, `dictionary_max`, `producers`, from the next start on', {
    start_setting_changed: '{was} becomes {is}: takes effect at the next start',
  }),
  ...safe('another owner; message or type oneof renamed; other zone data', {
    owner_changed: 'owner {was} becomes {is}',
    message_renamed: 'message renamed from {was}: fields go by their numbers',
    type_renamed: 'oneof renamed from {was}: the column keeps that name in the table, the new one is an alias',
    zone_data_changed: 'zone data {was} becomes {is}: other offsets from {since} on, for events from then on',
  }),
  ...refused('another pipeline; another event id, time or type', {
    pipeline_replaced:
      'this is another pipeline ({is}, not {was}): start it with a data folder and a database of its own',
    event_part_changed: '{was} would become {is}: stored rows go by the former; keep it',
  }),
};

const NEW_FIELD = 'add a field with a number of its own instead, and let producers move to it';
const RETYPED = `{why}{former}; ${NEW_FIELD}`;
const FIELD_ADDED = '{added}: new columns; rows so far have none of it';
const FIELD_STAYS = 'rows keep what they have, and its columns are written no more';
const FIELD_UNKNOWN = `{what} {number} is unknown to this version: ${FIELD_STAYS}; events that carry it are accepted, the field is skipped and counted`;
const ALIAS =
  'the new name is an alias, and both answer for old and new rows (SELECT * shows the old one); producers of JSON must write the new name';
const LEFT_OUT = 'rows without it would read as 0, false or empty; keep it optional';

const WIDENINGS = Object.entries(WIDER)
  .map(([type, wider]) => `\`${type}\` to \`${wider.join('`, `')}\``)
  .join('; ');

const FIELDS = {
  ...safe('added', { field_added: FIELD_ADDED }),
  ...safe(
    'removed, their numbers `reserved`',
    { field_reserved: `{what} removed, its number {number} reserved: ${FIELD_STAYS}` },
    FIELD_UNKNOWN,
  ),
  ...safe('fields renamed', {
    field_renamed: `renamed from {was}: its column keeps the old name in the table, ${ALIAS}`,
    message_field_renamed: `renamed from {was}: its columns keep the old name in the table, ${ALIAS}`,
  }),
  ...safe(`widened: ${WIDENINGS}, in lists and maps, too`, {
    field_widened:
      '{was} becomes {is}: every stored value fits, and so does what producers of the old schema send{note}',
  }),
  ...safe('deprecated, or no longer', {
    field_deprecated: 'field deprecated: it is stored as before; reserve its number once no producer sends it',
    field_no_longer_deprecated: 'field no longer deprecated',
  }),
  ...safe('`optional` added; `optional` removed within a message that can be absent', {
    optional_added: 'optional added: absence is NULL from now on; rows so far keep their values',
    presence_added: 'optional added: where its message is there and it is not, it is NULL from now on',
    presence_removed: 'optional removed: where its message is there and it is not, it is the default from now on',
  }),
  ...safe('moved into a oneof alone, or out of a oneof and `optional`', {
    oneof_entered: 'moved into a oneof of its own: it can be absent from now on, and its column NULL',
    oneof_left: 'moved out of its oneof: others of it can be set beside it from now on',
  }),
  ...refused(
    'removed without `reserved`, given another number',
    {
      field_removed:
        '{what} removed, and its number {number} may be used again for something else; write: reserved {number};',
      field_renumbered:
        '{what} changed its number from {number} to {now}: events of producers with the old schema would lose it; keep the number {number}',
    },
    FIELD_UNKNOWN,
  ),
  ...refused(
    'reserved numbers and names used again',
    {
      number_reused:
        'number {number} was reserved: an earlier version used it for another field; take a number that was never used',
      name_reused: 'the name {name} was reserved: an earlier version used it for another field; take another name',
    },
    FIELD_ADDED,
  ),
  ...refused('branches renamed', {
    branch_renamed:
      'branch renamed from {was}: stored rows carry the old name as their type, and a rule on the new name would not see them; keep the name {was}',
  }),
  ...refused(
    'narrowed to what they could be widened from',
    { field_narrowed: RETYPED },
    '{was} becomes {is} again: the column stays as wide as it is; stored values beyond {is} are cut off where this version reads them',
  ),
  ...refused('retyped otherwise, also where only the wire differs (`float` to `double`, `int32` to `sint32`)', {
    field_retyped: RETYPED,
  }),
  ...refused(
    '`optional` removed, or moved out of a oneof and not `optional`',
    {
      optional_removed: `optional removed: ${LEFT_OUT}`,
      oneof_left_for_default: `moved out of its oneof: ${LEFT_OUT}`,
    },
    'is not optional in this version: rows without it read as 0, false or empty',
  ),
  ...refused(
    'moved into a oneof with others',
    { oneof_shared: `now in one oneof with {rival}: producers that set both would lose one of them; ${NEW_FIELD}` },
    'in one oneof with {rival} again: where an event sets both, the last one counts',
  ),
  ...refused('moved into or out of the type oneof', {
    type_joined: `moved into the type oneof: rows so far have no such type; ${NEW_FIELD}`,
    type_left: `moved out of the type oneof: rows so far have it as their type; ${NEW_FIELD}`,
  }),
};

const VALUE_ADDED = 'enum value {name} added: rows that came with {number} before keep the number as text';
const VALUE_UNKNOWN =
  'enum value {name} is unknown to this version: rows keep it; events with {number} are stored with the number as text';

const ENUM_VALUES = {
  ...safe('added', { enum_value_added: VALUE_ADDED }),
  ...safe(
    'removed, their numbers `reserved`',
    {
      enum_value_reserved:
        'enum value {name} removed, its number {number} reserved: rows keep the name; events that still carry it are stored with the number as text',
    },
    VALUE_UNKNOWN,
  ),
  ...refused(
    'removed without `reserved`',
    {
      enum_value_removed:
        'enum value {name} removed, and its number {number} may be used again for something else; write in the enum: reserved {number};',
    },
    VALUE_UNKNOWN,
  ),
  ...refused(
    'reserved numbers used again',
    {
      enum_number_reused:
        'number {number} was reserved: an earlier version used it for another enum value; take one that was never used',
    },
    VALUE_ADDED,
  ),
  ...refused('renamed, given another number', {
    enum_value_renamed:
      'enum value {number} renamed from {was} to {is}: stored rows carry the old name, and a rule on the new one would not see them; keep the name {was}',
    enum_value_renumbered:
      'enum value {name} changed its number from {number} to {now}: events of producers with the old schema would be misread; keep the number {number}',
  }),
};

const COLUMNS = {
  ...safe('dictionary instead of strings, or strings instead of a dictionary', {
    dictionary_begun: 'stored as a dictionary instead of strings: the same texts',
    dictionary_ended: 'stored as strings instead of a dictionary: the same texts',
  }),
  ...refused('names that hold something else in stored rows', {
    column_taken: 'column {name} holds {was} in stored rows and would hold {is}; take another name',
  }),
  ...refused(
    'names and field numbers that meant something else in an earlier version',
    {
      column_taken_earlier:
        'column {name} holds {was} in rows of version {version} and would hold {is}; take another name',
      number_taken_earlier: 'number {number} was {was} in version {version}; take a number that was never used',
      entity_taken_earlier: 'an entity of this name had the key {key} in version {version}; take another name',
    },
    null,
  ),
  ...refused(
    'features, derived values and the like of a type that cannot hold what their column holds',
    {
      column_retyped:
        'column {name} holds {was} in stored rows and would hold {is}; give it another name in the pipeline',
    },
    null,
  ),
  ...refused('another `branch_columns`; another type of a column that branches share or that the table is sorted by', {
    sharing_begun: 'its values would move into a column that branches share; write events.branch_columns: own',
    sharing_ended: 'its values would move out of a column that branches share; write events.branch_columns: shared',
    shared_retyped:
      'a field whose column branches share cannot change its type, since each type has a column of its own; add a field with a number of its own instead',
    sort_key_retyped:
      'the table of events is sorted by column {name}, which cannot change from {was} to {is}; add a field with a number of its own instead',
  }),
};

const ENTITIES = {
  ...safe('added or removed; other `max`, `ttl`', {
    entity_added: 'new entity: begins empty, since rows so far have no number within it',
    entity_removed: 'entity removed: its state ends; rows keep what was stored, its columns are written no more',
    max_lowered:
      'max lowered from {was} to {is}: WHERE MORE ARE ALIVE, those beyond are evicted, and begin anew with their next event',
    max_raised: 'max raised from {was} to {is}: its rows move into a larger table',
    ttl_changed: 'ttl {was} becomes {is}, for entities already there, too',
  }),
  ...refused('another key; another primary entity', {
    entity_key_changed:
      'key changed from {was} to {is}: its state would belong to other keys; give the entity another name',
    primary_added: 'the primary entity is {primary}: the table of events is sorted by its key; keep it primary',
    primary_changed: 'the primary entity cannot change: the table of events is sorted by its key; keep it primary',
  }),
};

const FEATURE_ADDED = 'new feature: computed from stored rows';
const FEATURE_REDEFINED = 'another definition: computed anew from stored rows; rows so far keep what was served';

const FEATURES = {
  ...safe('renamed, removed', {
    feature_renamed: 'same definition as {was}: takes over its state',
    feature_removed: 'feature removed: its state ends; rows keep what was served, its column is written no more',
  }),
  ...backfill('added, defined otherwise', {
    feature_added: FEATURE_ADDED,
    feature_added_on_new: `${FEATURE_ADDED}, which have none of {columns}`,
    feature_redefined: FEATURE_REDEFINED,
    feature_redefined_on_new: `${FEATURE_REDEFINED}, which have none of {columns}`,
  }),
  ...backfill('those that read a field of another type now', {
    feature_read_retyped: 'it reads {columns}, of another type now: computed anew from stored rows',
    field_read_anew: '{reason}; computed anew from stored rows: {features}',
  }),
};

const KEEP = 'rows keep what was stored';

const RULES = {
  ...safe('derived values, lists, experiments, models, queries, decisions added, changed or removed', {
    derived_added: 'derived value added: rows so far have none of it',
    derived_changed:
      'derived value changed: from now on; rows so far keep the value of the former expression, and features that read it go by those rows',
    derived_removed: `derived value removed: ${KEEP}`,
    list_added: 'list added',
    list_changed: 'list declared otherwise: from now on',
    list_removed: 'list removed',
    experiment_added: 'experiment added: rows so far have no arm',
    experiment_changed: 'experiment changed: keys may come into another arm from now on; rows keep theirs',
    experiment_removed: `experiment removed: ${KEEP}`,
    model_added: 'model added: rows so far have no score of it',
    model_changed: 'model changed: other scores from now on; rows keep theirs',
    model_removed: `model removed: ${KEEP}`,
    query_added: 'query added: it can be asked from then on',
    query_changed: 'query asks something else, or otherwise',
    query_removed: 'query removed: who asks for it is told so',
    decision_added: 'decision added: rows so far have none',
    decision_changed: 'decision asked for other events from now on',
    decision_removed: `decision removed: ${KEEP}`,
  }),
  ...safe('actions, rules, limits added, changed or removed', {
    action_added: 'action {action} added',
    action_removed: `action {action} removed: ${KEEP}`,
    default_changed: 'default {was} becomes {is}',
    rule_added: 'rule added',
    rule_removed: `rule removed: ${KEEP}`,
    rules_reordered: 'rules are asked in another order from now on',
    condition_changed: 'condition {was} becomes {is}',
    condition_read_changed: 'what its condition reads has changed',
    rule_action_changed: 'action {was} becomes {is}',
    rule_disabled: 'rule switched off',
    rule_enabled: 'rule switched on again',
    limit_added: 'limit added: it begins unused',
    limit_changed: 'limit changed: it begins unused',
    limit_removed: 'limit removed',
  }),
};

/** By what they are about, as docs/versions.md lists them. */
export const EDIT_GROUPS: Readonly<Record<string, Readonly<Record<string, EditRule>>>> = {
  'pipeline and events': SETTINGS,
  'fields and branches': FIELDS,
  'enum values': ENUM_VALUES,
  columns: COLUMNS,
  entities: ENTITIES,
  features: FEATURES,
  'values, decisions, rules': RULES,
};

const EDITS = { ...SETTINGS, ...FIELDS, ...ENUM_VALUES, ...COLUMNS, ...ENTITIES, ...FEATURES, ...RULES };

type EditKind = keyof typeof EDITS;
type FactName<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | FactName<Rest> : never;
type FactNameOf<Kind extends EditKind> = FactName<(typeof EDITS)[Kind]['reason' | 'rollback']>;
/** The facts that the reasons of an edit name; nothing where they name none. */
type FactsOf<Kind extends EditKind> = [FactNameOf<Kind>] extends [never]
  ? []
  : [Readonly<Record<FactNameOf<Kind>, string | number>>];

export function editOf<Kind extends EditKind>(kind: Kind, path: string, ...[facts]: FactsOf<Kind>): Edit {
  const { class: editClass, reason } = ruleOf(kind);
  return { class: editClass, path, text: filled(reason, facts) };
}

/** Tells of an edit; the result is what people read of it. */
export type Found = typeof editOf;

/** Two plans side by side, as the walkers hand them down. */
export interface Comparison {
  readonly from: Plan;
  readonly to: Plan;
  readonly map: ColumnMap;
  readonly found: Found;
}

/** Puts what is found into a list. */
export function findInto(edits: Edit[], isRollback: boolean): Found {
  return (kind, path, ...facts) => {
    const { rollback } = ruleOf(kind);
    const edit =
      isRollback && typeof rollback === 'string'
        ? ({ class: 'safe', path, text: filled(rollback, facts[0]) } as const)
        : editOf(kind, path, ...facts);
    if (!isRollback || rollback !== null) edits.push(edit);
    return edit;
  };
}

function ruleOf(kind: EditKind): EditRule {
  return EDITS[kind];
}

function filled(reason: string, facts: Readonly<Record<string, string | number>> = {}): string {
  return reason.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(lookup(facts, name)));
}
