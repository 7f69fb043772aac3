/** A planned change for people: what is kept, backfilled, dropped or refused, and why. For `hunt plan --url`. */

import type { MemoryPart } from '../../memory/memory-plan.ts';
import type { PlannedChange, PlannedFeature } from './plan-change.ts';
import { memoryText, table } from './table.ts';

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
          ...table([
            ['', 'reserved', 'when full'],
            ...[memory.before, ...memory.extra, memory.during, memory.after].map(memoryRow(memory)),
          ]),
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

/** Names and classes in columns, then the text as long as it is. */
function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map(([name, what, text]) => `  ${name!.padEnd(widths[0]!)}  ${what!.padEnd(widths[1]!)}  ${text}`);
  return ['', title, ...lines];
}
