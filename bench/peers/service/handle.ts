/** One event: features, decisions, its row. */

import { decide, type Decisions } from './decisions.ts';
import { featuresWith } from './features.ts';
import { actionOf, type GameEvent } from './game-event.ts';
import type { Rows } from './rows.ts';

export function handle(event: GameEvent, receivedAt: number, rows: Rows): Decisions {
  const f = featuresWith(event, receivedAt);
  const decisions = decide(event, f);
  rows.add({
    event_id: event.event_id,
    player_id: event.player_id,
    hunt_id: event.hunt_id,
    event_time: event.event_time,
    received_at: receivedAt,
    lat: event.lat ?? null,
    lon: event.lon ?? null,
    action: actionOf(event),
    join_platform: event.join?.platform ?? null,
    move_metres: event.move?.metres ?? null,
    dig_depth: event.dig?.depth ?? null,
    dig_tool: event.dig?.tool ?? null,
    clue_clue_id: event.clue?.clue_id ?? null,
    find_points: event.find?.points ?? null,
    find_rarity: event.find?.rarity ?? null,
    purchase_amount: event.purchase?.amount ?? null,
    purchase_item: event.purchase?.item ?? null,
    player_digs_1m: f.digs1m,
    player_digs_5m: f.digs5m,
    player_clues_5m: f.clues5m,
    player_finds_5m: f.finds5m,
    player_points_5m: f.points5m,
    player_depth_5m: f.depth5m,
    player_spent_1h: f.spent1h,
    player_last_lat: f.lastLat,
    player_last_lon: f.lastLon,
    player_quiet: f.quiet,
    hunt_digs_1m: f.huntDigs1m,
    hunt_finds_5m: f.huntFinds5m,
    hunt_best_find_1h: f.huntBest1h,
    hunt_spent_1h: f.huntSpent1h,
    assistance: decisions.assistance,
    assistance_rule: decisions.assistanceRule,
    trust: decisions.trust,
    trust_rule: decisions.trustRule,
  });
  return decisions;
}
