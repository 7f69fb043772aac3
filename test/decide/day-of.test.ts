/** Days by the plan's tables, against the platform's own calendar. */
import { expect, test } from 'vitest';
import { compileDayOf } from '../../native-free-core/decide/day-of.ts';
import type { ComputedPlan, Expression, Plan } from '../../native-free-core/plan/plan.ts';
import { zonePlan } from '../../src/config/zones.ts';
import { seeded } from '../random.ts';

const ZONES = ['Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'];
const DAY_MS = 86_400_000;

function dayIn(zone: string, column: number): ComputedPlan {
  const time: Expression = { node: 'column', type: 'time', column: 0 };
  const name: Expression = { node: 'constant', type: 'string', value: zone };
  const expression: Expression = { node: 'call', type: 'int', operator: 'local_day', operands: [time, name] };
  return { name: '', column, expression, before: true };
}

test('a time has the day that the zone’s calendar shows', () => {
  const computed = ['UTC', ...ZONES].map((zone, i) => dayIn(zone, 10 + i));
  const dayOf = compileDayOf({ computed, zones: ZONES.map(zonePlan) } as unknown as Plan);
  const next = seeded(7);
  for (const [i, zone] of ['UTC', ...ZONES].entries()) {
    const calendar = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    for (let n = 0; n < 2000; n++) {
      const time = Math.floor(1_200_000_000_000 + next() * 800_000_000_000);
      expect(dayOf(10 + i, time)).toBe(Date.parse(`${calendar.format(time)}T00:00:00Z`) / DAY_MS);
    }
  }
});
