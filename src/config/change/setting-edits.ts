/**
 * Settings of the engine and of the message as a whole: which take effect with the change, and which cannot change at all.
 */

import { ZONE_TIME_START } from '../../../native-free-core/layout/limits.ts';
import { columnAt, producersOf, type Plan, type ZonePlan } from '../../../native-free-core/plan/plan.ts';
import { durationText } from '../units.ts';
import type { ColumnMap } from './column-map.ts';
import type { AddEdit } from './description.ts';

const AT_NEXT_START = 'takes effect at the next start';
const NEXT_EVENTS = 'for events from then on';

export function settingEdits(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  if (from.pipeline !== to.pipeline)
    add(
      'refused',
      'pipeline',
      `this is another pipeline (${to.pipeline}, not ${from.pipeline}): start it with a data folder and a database of its own`,
    );
  if (from.owner !== to.owner) add('safe', 'owner', `owner ${text(from.owner)} becomes ${text(to.owner)}`);
  if (from.message.name !== to.message.name)
    add('safe', 'events.message', `message renamed from ${from.message.name}: fields go by their numbers`);
  roleEdits(from, to, map, add);
  durations(from, to, add);
  zoneEdits(from, to, add);
  const [was, is] = [from.unknownFields ?? 'warn', to.unknownFields ?? 'warn'];
  if (was !== is) add('safe', 'events.unknown_fields', `${was} becomes ${is}: ${NEXT_EVENTS}`);
  const bounds = [
    ['events.dedup.ids_max', from.dedupIdsMax, to.dedupIdsMax],
    ['events.dictionary_max', from.dictionaryMax, to.dictionaryMax],
    ['events.producers.max', producersOf(from).max, producersOf(to).max],
  ] as const;
  for (const [path, was, is] of bounds) if (was !== is) add('safe', path, `${was} becomes ${is}: ${AT_NEXT_START}`);
}

/** Id, time and type say what an event is: look-ups, deduplication, windows and the sort key go by them. */
function roleEdits(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  const parts = [
    ['events.id', from.system.eventId, to.system.eventId],
    ['events.time', from.system.eventTime, to.system.eventTime],
    ['events.type', from.system.type, to.system.type],
  ] as const;
  for (const [path, was, is] of parts) {
    const same = was < 0 || is < 0 ? was === is : map.oldIndex(is) === was;
    if (!same)
      add(
        'refused',
        path,
        `${nameAt(from, was)} would become ${nameAt(to, is)}: stored rows go by the former; keep it`,
      );
    else if (path === 'events.type' && is >= 0 && nameAt(from, was) !== nameAt(to, is))
      add(
        'safe',
        path,
        `oneof renamed from ${nameAt(from, was)}: the column keeps that name in the table, the new one is an alias`,
      );
  }
}

function durations(from: Plan, to: Plan, add: AddEdit): void {
  const settings = [
    ['events.accept.max_age', from.acceptMaxAgeMs, to.acceptMaxAgeMs, NEXT_EVENTS],
    ['events.accept.max_future', from.acceptMaxFutureMs, to.acceptMaxFutureMs, NEXT_EVENTS],
    ['events.max_future_skew', from.maxFutureSkewMs, to.maxFutureSkewMs, NEXT_EVENTS],
    ['events.dedup.window', from.dedupWindowMs, to.dedupWindowMs, AT_NEXT_START],
    ['events.producers.forget_after', producersOf(from).forgetAfterMs, producersOf(to).forgetAfterMs, AT_NEXT_START],
  ] as const;
  for (const [path, was, is, when] of settings)
    if (was !== is) add('safe', path, `${durationText(was)} becomes ${durationText(is)}: ${when}`);
}

/** Rows keep the local days and hours that they were given, and windows count by these: nothing is computed anew. */
function zoneEdits(from: Plan, to: Plan, add: AddEdit): void {
  for (const zone of to.zones ?? []) {
    const old = from.zones?.find(({ name }) => name === zone.name);
    if (old === undefined || JSON.stringify(old) === JSON.stringify(zone)) continue;
    const versions = `zone data ${from.zoneData ?? 'of Node'} becomes ${to.zoneData ?? 'of Node'}`;
    const since = firstDifference(old, zone);
    add('safe', `zone ${zone.name}`, `${versions}: other offsets from ${since} on, ${NEXT_EVENTS}`);
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

function text(value: string): string {
  return value === '' ? 'nobody' : value;
}
