/**
 * What the example game's players do, as the types alone do not say: mostly they dig, in a small park. For load runs against
 * it.
 */

import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { below, pick } from '../../cli/load/random.ts';
import type { BranchWeights, EventSource } from '../../cli/load/events/event-source.ts';
import { branchWeights, pickByWeight } from '../../cli/load/events/typed-events.ts';

/** A find is seldom, a dig is not. */
const WEIGHTS: BranchWeights = { dig: 4, move: 2, clue: 2, find: 1, purchase: 1, join: 1 };
/** The whole game plays within a few hundred metres: nobody is taken for a teleporter because of a template. */
const PARK = { lat: 48.137, lon: 11.575, width: 0.006 };

export function isExampleGame(plan: Plan): boolean {
  return plan.message.name.replace(/^\./, '') === 'game.v1.GameEvent';
}

export function gameEvents(plan: Plan, branches: BranchWeights | undefined): EventSource {
  const weights = [...branchWeights(plan, branches ?? WEIGHTS)];
  return {
    eventsMin: 0,
    next(random) {
      const lat = PARK.lat + Math.round(random() * PARK.width * 1e6) / 1e6;
      const lon = PARK.lon + Math.round(random() * PARK.width * 1e6) / 1e6;
      const action = pickByWeight(random, weights);
      // Any numbers will do: the frames draw them.
      return JSON.stringify({ player_id: 1, hunt_id: 1, lat, lon, [action]: actionOf(action, random) });
    },
  };
}

function actionOf(action: string, random: () => number): object {
  switch (action) {
    case 'join':
      return { platform: pick(random, ['ios', 'android', 'web']) };
    case 'move':
      return { metres: 1 + below(random, 50) };
    case 'dig':
      return { depth: below(random, 300) / 100, tool: below(random, 3) };
    case 'clue':
      return { clueId: 1 + below(random, 200) };
    case 'find':
      return { points: 1 + below(random, 100), rarity: below(random, 3) };
    case 'purchase':
      return { amount: below(random, 5000) / 100, item: `item-${below(random, 40)}` };
    default:
      return {};
  }
}
