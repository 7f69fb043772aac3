/** Texts of expressions, read again, are the same expressions: nothing is lost on the way to what people see. */

import { expect, test } from 'vitest';
import { expressionTexts } from '../../src/explain/expression-text.ts';
import { namesOf } from '../../src/explain/pipeline-names.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { changed, compileText, PARTS, PROTO } from '../config/pipelines.ts';

const LISTS = `lists:
  vips: { file: vips.txt, type: int, max: 10 }
experiments:
  hints: { key: event.player_id, arms: { control: 50, treatment: 50 } }
derived:
  speed: "player.depth / 2.0"
decisions:
`;

function planOf(condition: string, branchColumns: 'own' | 'shared'): Plan {
  const text = changed("'player.digs_5m > 120'", JSON.stringify(condition), changed('decisions:\n', LISTS));
  const columns = changed('  type: action', `  type: action\n  branch_columns: ${branchColumns}`, text);
  const files = { 'events.proto': PROTO, 'parts.proto': PARTS, 'vips.txt': '1\n' };
  return compileText(columns, files).plan;
}

test.each([
  'player.digs_5m > 120',
  '!event.vip || (event.vip && !(event.level > 3 || event.level < -3))',
  "event.type == 'dig' && event.rarity in ['COMMON', 'LEGENDARY'] && event.rarity != 'RARE'",
  'has(event.lat) && !has(event.tags) && has(event.dig) && 5 in event.tags',
  '(event.level + 2) * 3 - event.level / (2 - event.level % 4) == -(event.level - 1)',
  'event.level - (event.level - 1) > 1 - -2',
  'player.depth >= 0.25 && player.depth < 3.0 && player.depth != 1e21 && player.depth > -0.0',
  'ratio(player.points, player.digs_5m) > 0.9 ? event.vip : event.vip == false',
  "(event.vip ? event.lat : player.last_lat) > 1.5 && (event.vip ? 'a' : event.shout) == 'it\\'s \\\\ here'",
  "event.country == 'DE' || event.country.startsWith('A') || event.country.matches('^[A-Z]+$')",
  "size(event.country) in [2, 3] && size(event.tags) > 0 && event.shout.contains('x') && event.shout.endsWith('y')",
  'event.wide == 18446744073709551615u || event.wide in [9007199254740993, 3]',
  'event.player_id in list.vips && hash(event.event_id) % 100 < 7',
  "experiment.hints == 'treatment' && derived.speed > 4.0",
  "event.time.getHours('Europe/Berlin') >= 6 && event.time.getMonth() == 11 && event.time.getDate() > event.time.getDayOfMonth()",
  "event.time > timestamp('2024-12-31T23:59:59.5Z') && event.time - event.event_time < duration('90m')",
  'geo.distance(event.lat, event.lat, 52.5, 13.4) / max(1.0, double(abs(event.level))) < 2.0',
  "geo.tile(event.lat, player.last_lat, 6) == 'u33dbc' && int(floor(event.lat)) == min(1, 2, event.level)",
  'sqrt(log(exp(pow(event.lat, 2.0)))) > ceil(event.lat)',
])('%s', (condition) => {
  for (const branchColumns of ['own', 'shared'] as const) {
    const plan = planOf(condition, branchColumns);
    const { when } = plan.decisions[0]!.rules[0]!;
    const text = expressionTexts(plan, namesOf(plan))(when);
    expect(planOf(text, branchColumns).decisions[0]!.rules[0]!.when, text).toEqual(when);
  }
});

test('sub-expressions read as they were written', () => {
  const condition = "(event.level + 2) * 3 > 4 && !(event.type in ['dig', 'find']) || event.rarity == 'LEGENDARY'";
  const plan = planOf(condition, 'own');
  expect(expressionTexts(plan, namesOf(plan))(plan.decisions[0]!.rules[0]!.when)).toBe(condition);
});
