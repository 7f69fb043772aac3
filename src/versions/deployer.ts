/**
 * Changes of the pipeline on request: a new version, the one before, a rule switched off or on. One at a time; each is
 * checked before anything moves, and recorded in ClickHouse with who wanted it and why. Main thread; requests come by
 * versions/version-requests.ts.
 */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { PlanChange } from '../../native-free-core/plan/change-plan.ts';
import { PipelineError } from '../config/index.ts';
import { OperatingError } from '../errors.ts';
import type { Log } from '../system/log.ts';
import type { ActivationOrigin, PipelineVersion, SourceTexts } from './pipeline-versions.ts';
import { disabledRules } from './version-history.ts';
import {
  changeVersion,
  type ChangePhase,
  type ChangeObserver,
  type ChangeResult,
  type ChangeSources,
  type RunningVersion,
  type TakenOver,
} from './change.ts';

/** What a change would do (config/change). */
export interface DescribedChange {
  /** null: it is refused. */
  readonly change: PlanChange | null;
  readonly refusals: readonly string[];
  /** What differs, for people and for the record: a plain object. */
  readonly diff: object;
}

export interface DeployerSources extends ChangeSources {
  readonly running: () => RunningVersion;
  readonly compile: (sources: SourceTexts) => PipelineVersion;
  /** One plan in which the other version decides beside the live one. */
  readonly withShadow: (live: Plan, other: Plan) => Plan;
  readonly setRuleDisabled: (text: string, rule: string, disabled: boolean) => string;
  readonly describe: (from: Plan, to: Plan, isRollback: boolean) => DescribedChange;
  /** Notes in ClickHouse all activations that it does not know. */
  readonly record: () => Promise<void>;
  readonly log: Log;
}

/** A change under way or the last one, as `GET /v1/pipelines` tells of it. */
export interface ChangeState extends ActivationOrigin {
  readonly id: number;
  readonly state: 'running' | 'done' | 'failed';
  /** Hashes of the files that will decide: live, and beside it. */
  readonly version: string;
  readonly shadow: string | null;
  readonly from: string;
  readonly phase: ChangePhase;
  /** Stored rows read for the backfill, and how many there are. */
  readonly done: number;
  readonly total: number;
  readonly diff: object;
  /** Since the new version decides; what the sweep has moved is known once all is over. */
  readonly result?: TakenOver & Partial<ChangeResult>;
  readonly error?: { readonly code: OperatingError['code']; readonly message: string };
}

/** What a change would do, asked beforehand. */
export interface ChangePreview extends DescribedChange {
  readonly version: string;
  readonly shadow: string | null;
  readonly from: string;
  /** Rules, as `decision.rule`, that decide now and would be switched off. */
  readonly newlyDisabled: readonly string[];
}

export class Deployer {
  readonly #sources: DeployerSources;
  #last: ChangeState | null = null;
  #running: Promise<void> | null = null;
  #id = 0;
  #stopping = false;

  constructor(sources: DeployerSources) {
    this.#sources = sources;
  }

  get last(): ChangeState | null {
    return this.#last;
  }

  /** Begins the change; throws where it is refused. null: that version decides already. */
  deploy(texts: SourceTexts, origin: ActivationOrigin): ChangeState | null {
    return this.#begin(this.#sources.compile(texts), origin);
  }

  /** `to`: a version that this folder has run; default: the one before the running one. */
  rollback(to: string | undefined, origin: ActivationOrigin): ChangeState | null {
    return this.#begin(this.#rollbackTarget(to), origin);
  }

  /** What `rollback` would do, nothing else. */
  previewRollback(to: string | undefined): ChangePreview {
    return this.#preview(this.#rollbackTarget(to), true);
  }

  #rollbackTarget(to: string | undefined): PipelineVersion {
    const { versions } = this.#sources;
    const target = to === undefined ? this.#before() : versions.byName(to);
    if (target !== null) return target;
    const known = [...new Set(versions.activations().map(({ number }) => versions.find(number)?.plan.version))];
    throw new OperatingError(
      'no_such_version',
      `there is no version to go back to: ${to === undefined ? 'it is the first one' : `version=${to}`}; known are ${known.join(', ')}`,
    );
  }

  /** A shadow goes on beside the changed version. */
  setRule(rule: string, disabled: boolean, origin: ActivationOrigin): ChangeState | null {
    const { running, compile, setRuleDisabled } = this.#sources;
    const { sources, shadow } = running();
    const next = compileRunning(() => compile({ ...sources, text: setRuleDisabled(sources.text, rule, disabled) }));
    return this.#begin(shadow === undefined ? next : this.#beside(next, shadow.sources), origin);
  }

  /**
   * Lets another version decide beside the live one, stored and never answered; it takes the place of a shadow that is
   * there.
   */
  shadow(texts: SourceTexts, origin: ActivationOrigin): ChangeState | null {
    return this.#begin(this.#beside(this.#live(), texts), origin);
  }

  endShadow(origin: ActivationOrigin): ChangeState | null {
    const live = this.#live();
    if (live.plan.versionNumber !== this.#sources.running().plan.versionNumber) return this.#begin(live, origin);
    throw new OperatingError('no_shadow', 'no shadow decides beside the live version: nothing to end');
  }

  /** The running version without its shadow. */
  #live(): PipelineVersion {
    const running = this.#sources.running();
    return running.shadow === undefined ? running : this.#sources.versions.find(running.shadow.beside)!;
  }

  #beside(live: PipelineVersion, texts: SourceTexts): PipelineVersion {
    const { compile, versions, withShadow } = this.#sources;
    const { plan, importMap, sources } = live;
    const other = compile(texts);
    // Where the shadow ends, the live version goes on alone.
    versions.keep({ plan, importMap, sources });
    const shadow = { sources: texts, beside: plan.versionNumber };
    return { plan: withShadow(plan, other.plan), importMap, sources, shadow };
  }

  /** What a change would do, nothing else. */
  preview(texts: SourceTexts): ChangePreview {
    const next = this.#sources.compile(texts);
    return this.#preview(next, this.#wasRun(next.plan));
  }

  #preview(next: PipelineVersion, isRollback: boolean): ChangePreview {
    const { versions, describe, running: runningOf } = this.#sources;
    const running = runningOf();
    const disabledBefore = new Set(disabledRules(running.plan));
    return {
      ...versions.namesOf(next),
      from: versions.namesOf(running).version,
      newlyDisabled: disabledRules(next.plan).filter((rule) => !disabledBefore.has(rule)),
      ...describe(running.plan, next.plan, isRollback),
    };
  }

  /** The change under way, or the last one, once it is over. */
  async over(): Promise<ChangeState | null> {
    await this.#running;
    return this.#last;
  }

  /** Waits for the change under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  #before(): PipelineVersion | null {
    const { versions, running } = this.#sources;
    const own = running().plan.versionNumber;
    const before = [...versions.activations()].reverse().find(({ number }) => number !== own);
    return before === undefined ? null : versions.find(before.number);
  }

  #wasRun({ versionNumber }: Plan): boolean {
    return this.#sources.versions.activations().some(({ number }) => number === versionNumber);
  }

  #begin(next: PipelineVersion, origin: ActivationOrigin): ChangeState | null {
    const { running: runningOf, describe, versions } = this.#sources;
    if (this.#running !== null || this.#stopping) {
      const what = this.#stopping
        ? 'the server is stopping'
        : `another change is under way: phase=${this.#last?.phase}`;
      throw new OperatingError('change_under_way', `${what}; try again when it is over`, { retryable: true });
    }
    const running = runningOf();
    if (next.plan.versionNumber === running.plan.versionNumber) return null;
    const described = describe(running.plan, next.plan, origin.kind === 'rollback' || this.#wasRun(next.plan));
    if (described.change === null) {
      throw new OperatingError(
        'change_refused',
        `the change is refused:\n${described.refusals.map((one) => `  ${one}`).join('\n')}`,
      );
    }
    const state: ChangeState = {
      ...origin,
      id: ++this.#id,
      state: 'running',
      ...versions.namesOf(next),
      from: versions.namesOf(running).version,
      phase: 'tables',
      done: 0,
      total: 0,
      diff: described.diff,
    };
    this.#last = state;
    this.#running = this.#run(running, next, described.change, state).finally(() => (this.#running = null));
    return state;
  }

  async #run(running: RunningVersion, next: PipelineVersion, change: PlanChange, state: ChangeState): Promise<void> {
    const { log, record } = this.#sources;
    const { kind, actor, reason, version, from } = state;
    const update = (more: Partial<ChangeState>): void => void (this.#last = { ...this.#last!, ...more });
    log('info', 'changing the pipeline', { kind, actor, reason, version, from });
    const recording: { done: Promise<void> | null } = { done: null };
    try {
      const observer: ChangeObserver = {
        phase: (phase, done = 0, total = 0) => update({ phase, done, total }),
        decides(result) {
          update({ result });
          log('info', 'the new version decides', { kind, version, from, ...result });
          recording.done = record();
          // Awaited below; until then a failure of it is nobody's unhandled rejection.
          recording.done.catch(() => undefined);
        },
      };
      const result = await changeVersion(this.#sources, running, next, change, { kind, actor, reason }, observer);
      await recording.done;
      update({ state: 'done', result });
      log('info', 'the pipeline has changed', { kind, version, from, ...result });
    } catch (error) {
      const code = error instanceof OperatingError ? error.code : 'internal';
      const message = error instanceof Error ? error.message : String(error);
      update({ state: 'failed', error: { code, message } });
      const what =
        recording.done === null
          ? 'the pipeline could not be changed; the former version goes on'
          : 'the new version decides, but what follows a change failed; the next start does it';
      log('error', what, { kind, version, error: message });
    }
  }
}

/** The running file may come from an earlier engine, whose rules took what this one's refuse. */
function compileRunning(compile: () => PipelineVersion): PipelineVersion {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const said =
      'the rules of this engine refuse the file that decides, which an earlier one took, so that none of its rules can be switched: ' +
      `${error.message}; mend the file, with the rule as it is wanted, and hunt deploy it`;
    throw new OperatingError(error.code, said, { cause: error });
  }
}
