/** Both decisions of the example game, as plain conditions. */

import type { Features } from './features.ts';
import type { GameEvent } from './game-event.ts';

export interface Decisions {
  readonly assistance: '' | 'hint' | 'continue';
  readonly assistanceRule: '' | 'default' | 'stuck' | 'scratching' | 'cold_hunt';
  readonly trust: 'allow' | 'challenge';
  readonly trustRule: 'default' | 'digger' | 'lucky' | 'teleport' | 'too_rich';
}

export function decide(event: GameEvent, features: Features): Decisions {
  const assistanceRule = event.dig || event.clue ? assistanceRuleOf(event, features) : '';
  const trustRule = trustRuleOf(event, features);
  return {
    assistance: assistanceRule === '' ? '' : assistanceRule === 'default' ? 'continue' : 'hint',
    assistanceRule,
    trust: trustRule === 'default' ? 'allow' : 'challenge',
    trustRule,
  };
}

function assistanceRuleOf(event: GameEvent, f: Features): Decisions['assistanceRule'] {
  if (f.clues5m >= 3 && f.digs5m > 10 && f.finds5m === 0) return 'stuck';
  const shallow = f.depth5m !== null && f.depth5m < 0.25;
  if (f.digs5m >= 5 && shallow && event.dig?.tool === 'HANDS') return 'scratching';
  if (f.huntDigs1m > 200 && f.huntFinds5m === 0 && f.digs5m >= 5) return 'cold_hunt';
  return 'default';
}

function trustRuleOf(event: GameEvent, f: Features): Decisions['trustRule'] {
  if (f.digs1m > 40) return 'digger';
  if (f.finds5m >= 10 && f.digs5m > 0 && f.finds5m / f.digs5m > 0.9) return 'lucky';
  if (isTeleport(event, f)) return 'teleport';
  if (f.spent1h > 500 && event.find?.rarity === 'LEGENDARY') return 'too_rich';
  return 'default';
}

function isTeleport({ lat, lon }: GameEvent, { quiet, lastLat, lastLon }: Features): boolean {
  if (quiet === null || quiet >= 5000 || lastLat === null || lastLon === null) return false;
  if (lat === null || lat === undefined || lon === null || lon === undefined) return false;
  return (lat - lastLat) * (lat - lastLat) + (lon - lastLon) * (lon - lastLon) > 0.0001;
}
