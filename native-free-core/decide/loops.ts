/** What a worker's plan is compiled to: loops over the columns of its block, and over the tables that all workers share. */

import { compileDecoder, type Decoder } from '../codec/decoder.ts';
import { compileSealer, type Sealer } from '../columns/seal.ts';
import { compileReader, type EntityReader } from '../features/read.ts';
import type { Column } from '../layout/column.ts';
import { answeredDecisions, type Plan } from '../plan/plan.ts';
import { compileComputed, type ComputedLoop, type ComputedLoops } from '../policy/compile-computed.ts';
import { compileDecision, type DecisionLoop } from '../policy/decision.ts';
import { entryAt, entryBytes } from '../state/dictionary.ts';
import { compileAfterState } from './compile-after-state.ts';
import { compileDayOf } from './day-of.ts';
import type { Interner } from './interner.ts';
import { openRuleLimits } from './join-limits.ts';
import { compileState, type StateLoops } from './state-loops.ts';
import type { Tables } from './shared-tables.ts';
import { compileValidator, type Validator } from './validate.ts';

export interface Loops {
  readonly decoder: Decoder;
  readonly validator: Validator;
  readonly state: StateLoops;
  readonly computed: ComputedLoops;
  /** Derived values and scores, in their order. */
  readonly afterState: readonly ComputedLoop[];
  /** One for each entity. */
  readonly readers: readonly EntityReader[];
  readonly decisions: readonly DecisionLoop[];
  /** Action columns of the decisions, for the answers. */
  readonly actions: readonly Uint16Array[];
  readonly sealer: Sealer;
}

/** `textOf`: UTF-8 bytes [from, to) as a text. */
export function compileLoops(
  plan: Plan,
  columns: readonly Column[],
  tables: Tables,
  interner: Interner,
  textOf: (bytes: Uint8Array, from: number, to: number) => string,
): Loops {
  const { dictionary, lists } = tables;
  const state = compileState(plan, columns, tables, 'live');
  const computed = compileComputed(plan, columns, dictionary, lists);
  const decoder = compileDecoder(plan, [...columns], interner);
  const entryText = (id: number): string => {
    const at = entryAt(dictionary, id);
    return textOf(dictionary.bytes, at, at + entryBytes(dictionary, id));
  };
  const names = { textOf: entryText, dayOf: compileDayOf(plan) };
  return {
    decoder,
    validator: compileValidator(plan, columns, tables, state, computed.forPrimaryKey, decoder.hasTime),
    state,
    computed,
    afterState: compileAfterState(plan, columns, tables),
    readers: plan.entities.map((entity, i) => compileReader(plan, entity, tables.entities[i], names)),
    decisions: plan.decisions.map((decision) => {
      const limits = openRuleLimits(plan, decision, columns, state, tables);
      return compileDecision(plan, decision, columns, dictionary, lists, limits);
    }),
    actions: answeredDecisions(plan).map((decision) => columns[decision.actionColumn].u16),
    sealer: compileSealer(plan, columns),
  };
}
