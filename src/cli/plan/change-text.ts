/** A planned change for people: what is kept, backfilled, dropped or refused, and why. For `hunt plan --url`. */

import type { MemoryPart } from '../../memory/memory-plan.ts';
import type { PlannedChange, PlannedFeature } from './plan-change.ts';
import { textTable } from '../text-table.ts';
import { memoryText } from './memory-text.ts';

export function changeText(planned: PlannedChange): string {
  const { pipeline, from, to, accepted, entities, features, edits, refusals, memory } = planned;
  if (from === to) return `${pipeline}: version ${to} is the one that runs; nothing would change`;
  return [
    `${pipeline}: ${from} -> ${to}: ${accepted ? 'would be accepted' : 'WOULD BE REFUSED'}`,
    ...refusals.map((text) => `  refused: ${text}`),
    ...section(
      'entities',
      entities.map(({ name, fate, reason }) => [name, fate, reason]),
    ),
    ...section('features', features.map(featureRow)),
    ...section(
      'edits',
      edits.map(({ class: editClass, path, text }) => [path, editClass, text]),
    ),
    ...(memory === null
      ? []
      : [
          '',
          'memory',
          ...textTable(
            [
              ['', 'reserved', 'when full'],
              ...[memory.before, ...memory.extra, memory.during, memory.after].map(memoryRow(memory)),
            ],
            'figures',
          ),
        ]),
  ].join('\n');
}

function featureRow({ entity, name, fate, formerName, reason, storedRows }: PlannedFeature): string[] {
  const former = formerName === undefined ? '' : ` (was ${formerName})`;
  const rows = fate === 'backfilled' ? `; ${storedRows.toLocaleString('en')} stored rows to read` : '';
  return [`${entity}.${name}${former}`, fate, `${reason}${rows}`];
}

function memoryRow({ before, during, after }: NonNullable<PlannedChange['memory']>): (part: MemoryPart) => string[] {
  const names = new Map([
    [before, 'before'],
    [during, 'during the change, in all'],
    [after, 'after'],
  ]);
  return (part) => [names.get(part) ?? `  + ${part.name}`, memoryText(part.reservedBytes), memoryText(part.fullBytes)];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...textTable(rows)];
}
