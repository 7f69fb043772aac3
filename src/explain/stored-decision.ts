/**
 * Explains a stored event by the pipeline version that decided it. Loaded rows and compiled explainers are kept for the
 * versions that were asked for last. Main thread.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Expression, Plan } from '../../native-free-core/plan/plan.ts';
import { constantText } from '../../native-free-core/language/expression/condition.ts';
import { openLists } from '../../native-free-core/language/expression/list-entries.ts';
import { FUNCTIONS } from '../../native-free-core/language/functions/index.ts';
import { dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import type { KeyList } from '../../native-free-core/state/key-list.ts';
import { OperatingError } from '../errors.ts';
import type { ExplainedDecision, Explanation, StoredExplanation } from '../contract/explanation.ts';
import { labelAt, valueAt, type ExplainedRow } from './column-values.ts';
import type { LiveState } from './dry-run.ts';
import { compileRowExplainer, type RowExplainer } from './explain-row.ts';
import { findEvent, readTexts, type EventStore, type EventReference } from './find-event.ts';
import { createExplainedRow, hasRoom, loadTexts } from './stored-row.ts';

export interface StoredSources {
  readonly live: () => Pick<LiveState, 'plan' | 'tables'>;
  /** The plan of a version by the number that rows carry; undefined: nobody has it any more. */
  readonly planOf: (number: number) => Plan | undefined;
  readonly store: EventStore;
}

interface Loaded {
  readonly row: ExplainedRow;
  readonly explainer: RowExplainer;
  readonly tables: Tables;
}

const VERSIONS_MAX = 4;

export class StoredDecisions {
  readonly #sources: StoredSources;
  /** The version that was asked for last stands last. */
  readonly #loaded = new Map<number, Loaded>();

  constructor(sources: StoredSources) {
    this.#sources = sources;
  }

  /** Throws an OperatingError where there is no such event, or its version is unknown. */
  async explain(place: EventReference): Promise<StoredExplanation> {
    const { live, planOf, store } = this.#sources;
    const event = await findEvent(store, live().plan, place);
    const plan = live().plan.versionNumber === event.pipeline ? live().plan : planOf(event.pipeline);
    if (plan === undefined) {
      throw new OperatingError(
        'version_unknown',
        `the event is stored, and the pipeline version that decided it is not known here: event_id=${place.id} version_number=${event.pipeline}; ` +
          'its file is in the table pipelines, and what was decided in events: hunt sql',
      );
    }
    const texts = await readTexts(store, plan, event);
    // From here on nothing waits: the row is shared with whoever asks next.
    const { row, explainer } = this.#load(plan);
    loadTexts(row, texts);
    const explanation = explainer.explain();
    const { system } = plan;
    const { log, batch, row: number, epoch, found } = event;
    return {
      ...explanation,
      notes: [...explanation.notes, ...notesOf(plan, explanation)],
      stored: {
        log,
        batch,
        row: number,
        epoch,
        producer: labelAt(row, system.producer),
        frameSeq: valueAt(row, system.frameSeq),
        frameIndex: valueAt(row, system.frameIndex),
        found,
      },
    };
  }

  #load(plan: Plan): Loaded {
    const number = plan.versionNumber;
    const { plan: running, tables } = this.#sources.live();
    let loaded = this.#loaded.get(number);
    this.#loaded.delete(number);
    if (
      loaded === undefined ||
      loaded.tables !== tables ||
      !hasRoom(loaded.row, dictionaryCount(loaded.row.dictionary))
    ) {
      const row = createExplainedRow(plan);
      loaded = { row, tables, explainer: compileRowExplainer(row, currentLists(plan, running, tables)) };
    }
    this.#loaded.set(number, loaded);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > VERSIONS_MAX) this.#loaded.delete(oldest!);
    return loaded;
  }
}

/**
 * For rows that do not keep what was read: lists as they are now, by name; one that the running pipeline no longer has, as
 * its version was compiled with.
 */
function currentLists(plan: Plan, running: Plan, { lists }: Tables): readonly KeyList[] {
  const former = openLists(plan);
  return (plan.lists ?? []).map(({ name, type }, i) => {
    const now = (running.lists ?? []).findIndex((list) => list.name === name && list.type === type);
    return lists?.[now] ?? former[i]!;
  });
}

/**
 * What may be otherwise than when it was decided: rows of earlier engines do not keep what rules read of lists, which are
 * replaced at any time.
 */
function notesOf(plan: Plan, { decisions }: Explanation): string[] {
  const asked = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.node !== 'call') return;
    if (FUNCTIONS[expression.operator].repeats === 'list') asked.add(constantText(expression.operands[1]!));
    expression.operands.forEach(visit);
  };
  for (const { rules } of plan.decisions) for (const { when } of rules) visit(when);
  const notes = [...asked].map(
    (name) => `list.${name} by today's list: this row does not keep what the rules read; it may have been another`,
  );
  return [...notes, ...decisions.flatMap(disagreement)];
}

/** The stored rule is what was decided, whatever its conditions say by now. */
function disagreement({ decision, asked, rule, rules }: ExplainedDecision): string[] {
  if (!asked) return [];
  const passed = rules.find(
    ({ reached, decided, holds, limit }) =>
      reached && (decided ? holds !== true : holds === true && limit === undefined),
  );
  if (passed === undefined) return [];
  return [
    `${decision} was decided by ${rule}; by what the conditions read now, ${passed.rule} would have it otherwise`,
  ];
}
