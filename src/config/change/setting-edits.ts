/** Settings of the engine and of the message as a whole. */

import { ZONE_TIME_START } from '../../../native-free-core/layout/limits.ts';
import { columnAt, producersOf, type Plan, type ZonePlan } from '../../../native-free-core/plan/plan.ts';
import { durationText } from '../units.ts';
import type { Comparison } from './edits.ts';

export function settingEdits(comparison: Comparison): void {
  const { from, to, found } = comparison;
  if (from.pipeline !== to.pipeline) found('pipeline_replaced', 'pipeline', { was: from.pipeline, is: to.pipeline });
  if (from.owner !== to.owner)
    found('owner_changed', 'owner', { was: from.owner || 'nobody', is: to.owner || 'nobody' });
  if (from.message.name !== to.message.name) found('message_renamed', 'events.message', { was: from.message.name });
  eventParts(comparison);
  durations(comparison);
  zoneEdits(comparison);
  const [was, is] = [from.unknownFields ?? 'warn', to.unknownFields ?? 'warn'];
  if (was !== is) found('setting_changed', 'events.unknown_fields', { was, is });
  const bounds = [
    ['events.dedup.ids_max', from.dedupIdsMax, to.dedupIdsMax],
    ['events.dictionary_max', from.dictionaryMax, to.dictionaryMax],
    ['events.producers.max', producersOf(from).max, producersOf(to).max],
  ] as const;
  for (const [path, was, is] of bounds) if (was !== is) found('start_setting_changed', path, { was, is });
}

/** Id, time and type say what an event is: look-ups, deduplication, windows and the sort key go by them. */
function eventParts({ from, to, map, found }: Comparison): void {
  const parts = [
    ['events.id', from.system.eventId, to.system.eventId],
    ['events.time', from.system.eventTime, to.system.eventTime],
    ['events.type', from.system.type, to.system.type],
  ] as const;
  for (const [path, before, after] of parts) {
    const same = before < 0 || after < 0 ? before === after : map.oldIndex(after) === before;
    const [was, is] = [nameAt(from, before), nameAt(to, after)];
    if (!same) found('event_part_changed', path, { was, is });
    else if (path === 'events.type' && was !== is) found('type_renamed', path, { was });
  }
}

function durations({ from, to, found }: Comparison): void {
  const settings = [
    ['setting_changed', 'events.accept.max_age', from.acceptMaxAgeMs, to.acceptMaxAgeMs],
    ['setting_changed', 'events.accept.max_future', from.acceptMaxFutureMs, to.acceptMaxFutureMs],
    ['setting_changed', 'events.max_future_skew', from.maxFutureSkewMs, to.maxFutureSkewMs],
    ['start_setting_changed', 'events.dedup.window', from.dedupWindowMs, to.dedupWindowMs],
    [
      'start_setting_changed',
      'events.producers.forget_after',
      producersOf(from).forgetAfterMs,
      producersOf(to).forgetAfterMs,
    ],
  ] as const;
  for (const [kind, path, was, is] of settings)
    if (was !== is) found(kind, path, { was: durationText(was), is: durationText(is) });
}

/** Rows keep the local days and hours that they were given, and windows count by these: nothing is computed anew. */
function zoneEdits({ from, to, found }: Comparison): void {
  const [was, is] = [from.zoneData ?? 'of Node', to.zoneData ?? 'of Node'];
  for (const zone of to.zones ?? []) {
    const old = from.zones?.find(({ name }) => name === zone.name);
    if (old === undefined || JSON.stringify(old) === JSON.stringify(zone)) continue;
    found('zone_data_changed', `zone ${zone.name}`, { was, is, since: firstDifference(old, zone) });
  }
}

function firstDifference(a: ZonePlan, b: ZonePlan): string {
  const length = Math.max(a.changes.length, b.changes.length);
  for (let i = 0; i < length; i++) {
    if (a.changes[i] === b.changes[i] && a.offsets[i + 1] === b.offsets[i + 1]) continue;
    return new Date(Math.min(a.changes[i] ?? Infinity, b.changes[i] ?? Infinity)).toISOString();
  }
  return new Date(ZONE_TIME_START).toISOString();
}

function nameAt(plan: Plan, index: number): string {
  return index < 0 ? 'nothing' : columnAt(plan, index).name;
}
