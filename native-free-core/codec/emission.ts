/**
 * What one compilation of a decoder gathers while it walks through the message: functions, and numbers given out.
 */

import { EVENT_UNKNOWN_FIELD } from '../base/outcomes.ts';
import type { FieldPlan, Plan } from '../plan/plan.ts';

export interface Emission {
  readonly plan: Plan;
  readonly functions: string[];
  /**
   * Singular timestamps, and the event's time whatever its type: where in `S` each keeps the event, seconds and nanos that
   * it read last. `S[0]` numbers the events.
   */
  readonly timeSlots: Map<FieldPlan, number>;
  /** Words given out in `O`: for each oneof the row and the member that was set last. */
  oneofWords: number;
  /** Numbers of the functions. */
  functionCount: number;
  /** Whether any field is a map. */
  maps: boolean;
}

export function createEmission(plan: Plan): Emission {
  return { plan, functions: [], timeSlots: new Map(), oneofWords: 0, functionCount: 0, maps: false };
}

export function timeSlotsEnd(e: Emission): number {
  return 1 + 3 * e.timeSlots.size;
}

/** A field that the message does not have is counted and skipped, or refuses the event. */
export function emitUnknown({ plan }: Emission): string {
  return plan.unknownFields === 'reject' ? `return ${EVENT_UNKNOWN_FIELD};` : 'self.unknownFields++;';
}
