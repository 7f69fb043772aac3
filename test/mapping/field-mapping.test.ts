/** A pipeline's import, applied to tables and to JSON: what any reader of files or encoding can use. */

import { beforeAll, describe, expect, test } from 'vitest';
import { columnMapping } from '../../native-free-core/mapping/column-mapping.ts';
import { keyMapping } from '../../native-free-core/mapping/key-mapping.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { loadPipeline } from '../../src/config/index.ts';

let plan: Plan;
beforeAll(async () => {
  plan = await loadPipeline(defaultPipeline());
});

describe('columns', () => {
  test('go to the fields that the import names, nested ones too, else to those of their own name', () => {
    const importMap = { event_time: 'when', 'dig.depth': 'spade depth' };
    const { toEvent, unused, missing, twice } = columnMapping(plan, importMap, [
      'eventId',
      'when',
      'spade depth',
      'dig.tool',
    ]);
    expect(toEvent(['a', '2010-12-01', '0.5', 'SPADE'])).toEqual({
      eventId: 'a',
      event_time: '2010-12-01T00:00:00Z',
      dig: { depth: 0.5, tool: 'SPADE' },
    });
    expect(toEvent(['a', '', ''])).toEqual({ eventId: 'a' });
    expect([unused, missing, twice]).toEqual([[], [], []]);
  });

  test('one column fills several fields', () => {
    const { toEvent } = columnMapping(plan, { player_id: 'who', event_id: 'who' }, ['who']);
    expect(toEvent(['7'])).toEqual({ player_id: 7, event_id: '7' });
  });

  test('what is odd about a header is told: unknown, missing and doubled columns', () => {
    const header = ['event_id', 'eventId', 'colour'];
    const { unused, missing, twice } = columnMapping(plan, { event_time: 'when', 'dig.depth': 'depth' }, header);
    expect(unused).toEqual(['colour']);
    expect(missing).toEqual(['event_time', 'dig.depth']);
    expect(twice).toEqual(['event_id: event_id, eventId']);
  });
});

describe('keys', () => {
  test('without an import, events are taken as they stand', () => {
    expect(keyMapping(plan, {})).toBeNull();
    expect(keyMapping(plan, { 'no.such.field': 'key' })).toBeNull();
  });

  test('go to the fields that the import names; the others stay, and long numbers keep their digits', () => {
    const toEvent = keyMapping(plan, { player_id: 'who', event_time: 'when', 'dig.depth': 'depth' })!;
    const text =
      '{"who":9007199254740993,"when":"2010-12-01 08:26","depth":2.5,"colour":"12345678901234567","gone":null}';
    expect(JSON.parse(toEvent(text)!)).toEqual({
      player_id: '9007199254740993',
      event_time: '2010-12-01T08:26:00Z',
      dig: { depth: 2.5 },
      colour: '12345678901234567',
      gone: null,
    });
  });

  test('names that objects inherit are keys like any other', () => {
    const toEvent = keyMapping(plan, { player_id: 'constructor' })!;
    expect(toEvent('{"event_id":"a"}')).toBe('{"event_id":"a"}');
    expect(toEvent('{"constructor":7,"__proto__":1}')).toBe('{"__proto__":1,"player_id":7}');
  });

  test.each(['[1]', '"text"', '7', 'null', '{"a":', '{"a":00000000000000001}'])('no object: %s', (text) => {
    expect(keyMapping(plan, { player_id: 'who' })!(text)).toBeNull();
  });
});
