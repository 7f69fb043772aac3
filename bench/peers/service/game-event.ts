/** An event as the service handles it, whatever encoding it came in, and the row that it becomes. */

export interface GameEvent {
  readonly event_id: string;
  readonly player_id: number;
  readonly hunt_id: number;
  /** ms UTC. */
  readonly event_time: number;
  readonly lat?: number | null;
  readonly lon?: number | null;
  readonly join?: { readonly platform: string } | null;
  readonly move?: { readonly metres: number } | null;
  readonly dig?: { readonly depth: number; readonly tool: string } | null;
  readonly clue?: { readonly clue_id: number } | null;
  readonly find?: { readonly points: number; readonly rarity: string } | null;
  readonly purchase?: { readonly amount: number; readonly item: string } | null;
}

export type ActionName = '' | 'join' | 'move' | 'dig' | 'clue' | 'find' | 'purchase';

export function actionOf(event: GameEvent): ActionName {
  if (event.dig) return 'dig';
  if (event.move) return 'move';
  if (event.clue) return 'clue';
  if (event.find) return 'find';
  if (event.purchase) return 'purchase';
  return event.join ? 'join' : '';
}
