/**
 * What a new version of a pipeline means for columns, state and stored rows. Pure: deploy acts on it, and `hunt plan --url`
 * shows it beforehand, so both say the same.
 */

import { columnAt, type Plan } from '../../../native-free-core/plan/plan.ts';
import { columnEdits } from './column-edits.ts';
import { mapColumns, renamesOf, type ColumnMap } from './column-map.ts';
import { columnsRead } from './definition.ts';
import type { ChangeDescription, ChangeOptions, Edit, EditClass } from './description.ts';
import { editOf, findInto } from './edits.ts';
import { flatFields } from './fields.ts';
import { messageEdits } from './message-edits.ts';
import { ruleEdits } from './rule-edits.ts';
import { settingEdits } from './setting-edits.ts';
import { stateChange, type StateChange } from './state.ts';

const CLASSES: readonly EditClass[] = ['safe', 'backfill', 'refused'];

export function describeChange(from: Plan, to: Plan, options: ChangeOptions = {}): ChangeDescription {
  const edits: Edit[] = [];
  const found = findInto(edits, options.rollback === true);
  const map = mapColumns(from, to);
  const comparison = { from, to, map, found };
  settingEdits(comparison);
  messageEdits(comparison);
  columnEdits(comparison, options.earlier ?? []);
  const state = stateChange(comparison);
  ruleEdits(comparison);
  const classed = edits.map((edit) => withBackfill(edit, from, to, map, state));
  const worst = classed.reduce((rank, edit) => Math.max(rank, CLASSES.indexOf(edit.class)), 0);
  return {
    class: CLASSES[worst]!,
    edits: classed,
    entities: state.entityTexts,
    features: state.featureTexts,
    renames: renamesOf(from, to, map),
    change:
      CLASSES[worst] === 'refused'
        ? null
        : { columns: columnsOf(to, map), entities: state.entities, limits: state.limits },
  };
}

/** Views feed from the columns that they are in, so the mapping has columns only. */
function columnsOf(to: Plan, { oldIndex }: ColumnMap): number[] {
  return to.columns.map(({ index }) => oldIndex(index));
}

/** A field's edit is more than safe where it is what makes a feature be computed anew. */
function withBackfill(edit: Edit, from: Plan, to: Plan, map: ColumnMap, state: StateChange): Edit {
  if (edit.class !== 'safe') return edit;
  const field = flatFields(to).find(
    ({ path }) => edit.path === `event.${path}` || edit.path === `events.fields.${path.replaceAll('.', '_')}`,
  );
  if (field === undefined || field.index < 0) return edit;
  const old = map.oldIndex(field.index);
  if (old < 0 || columnAt(from, old).kind === columnAt(to, field.index).kind) return edit;
  const readers = to.entities.flatMap((entity, i) =>
    entity.features
      .filter(
        (feature, j) =>
          state.entities[i]!.from >= 0 &&
          state.entities[i]!.features[j]! < 0 &&
          [...columnsRead(feature.of), ...columnsRead(feature.where)].includes(field.index),
      )
      .map(({ name }) => `${entity.name}.${name}`),
  );
  if (readers.length === 0) return edit;
  return editOf('field_read_anew', edit.path, { reason: edit.text, features: readers.join(', ') });
}
