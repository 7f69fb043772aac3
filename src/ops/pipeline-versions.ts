/**
 * The versions of the pipeline that have decided on this data folder, each with its whole plan: blocks, batches, snapshots and
 * explanations are read by the version that wrote them. Main thread; a version is on the disk before its first block.
 *
 *   pipelines/<number in hex>.json   a PipelineVersion
 *   pipelines/activations.json       which one decided from when on, oldest first
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { OperatingError } from '../errors.ts';

export interface PipelineVersion {
  readonly plan: Plan;
  /** For `hunt send`. */
  readonly importMap: Readonly<Record<string, string>>;
  /** What it was compiled from, so that a part of it can be changed (config/load-pipeline.ts). */
  readonly sources: SourceTexts;
  /** With a shadow: what that was compiled from, and the number of the version beside which it decides. */
  readonly shadow?: { readonly sources: SourceTexts; readonly beside: number };
}

export interface SourceTexts {
  readonly file: string;
  readonly text: string;
  readonly files: readonly {
    readonly name: string;
    readonly importer: string | null;
    readonly path: string;
    readonly text: string;
  }[];
}

export type ChangeKind = 'start' | 'deploy' | 'rollback' | 'disable' | 'enable' | 'shadow' | 'end-shadow';

/** Who wants a change, and why. */
export interface ChangeOrigin {
  readonly kind: ChangeKind;
  readonly actor: string;
  readonly reason: string;
}

/** A change that is about to happen. */
export interface PendingActivation extends ChangeOrigin {
  readonly number: number;
}

export interface Activation extends PendingActivation {
  /** The last epoch that was decided by another version. */
  readonly afterEpoch: number;
  /** ms UTC */
  readonly at: number;
}

interface ActivationsFile {
  readonly activations: readonly Activation[];
  /** Written before the workers change: a crash right after it is known by the epochs that the version has decided. */
  readonly pending: PendingActivation | null;
}

/** Activations that are remembered here; ClickHouse has them all. */
const ACTIVATIONS_MAX = 1000;

export class PipelineVersions {
  readonly #directory: string;
  readonly #known = new Map<number, PipelineVersion>();
  #activations: ActivationsFile | null = null;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** null: this folder has never run it. */
  find(number: number): PipelineVersion | null {
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    const path = this.#path(number);
    if (!existsSync(path)) return null;
    const version = JSON.parse(readFileSync(path, 'utf8')) as PipelineVersion;
    this.#known.set(number, version);
    return version;
  }

  planOf(number: number): Plan {
    const version = this.find(number);
    if (version !== null) return version.plan;
    throw new OperatingError(
      'pipeline_unknown',
      `the data folder has rows of a pipeline version that it does not know: version_number=${number} folder=${this.#directory}; restore the folder from a copy, or choose another --data`,
    );
  }

  /** Durable on return. */
  keep(version: PipelineVersion): void {
    const { versionNumber: number } = version.plan;
    if (this.find(number) !== null) return;
    this.#write(this.#path(number), version);
    this.#known.set(number, version);
  }

  /** Oldest first. */
  activations(): readonly Activation[] {
    return this.#read().activations;
  }

  /** Durable on return. */
  announce(pending: PendingActivation): void {
    this.#store({ activations: this.activations(), pending });
  }

  /** Durable on return. */
  activate(activation: Activation): void {
    this.#store({ activations: [...this.activations(), activation].slice(-ACTIVATIONS_MAX), pending: null });
  }

  /** Recovery has found that this version decided after that epoch: the change had happened before it could be noted. */
  found(number: number, afterEpoch: number): void {
    const { activations, pending } = this.#read();
    if (activations.some((one) => one.number === number && one.afterEpoch === afterEpoch)) return;
    const origin = pending?.number === number ? pending : { number, kind: 'deploy' as const, actor: '', reason: '' };
    this.activate({ ...origin, afterEpoch, at: Date.now() });
  }

  /** As people know it: the hash of the file that decides, and of the one that decides beside it. */
  namesOf({ plan, shadow }: PipelineVersion): { version: string; shadow: string | null } {
    if (shadow === undefined) return { version: plan.version, shadow: null };
    return { version: this.planOf(shadow.beside).version, shadow: plan.shadow?.version ?? null };
  }

  /** A version by its hash, or by the begin of it. */
  byName(version: string): PipelineVersion | null {
    for (const { number } of [...this.activations()].reverse()) {
      const found = this.find(number);
      if (version !== '' && found?.plan.version.startsWith(version) === true) return found;
    }
    return null;
  }

  #read(): ActivationsFile {
    const path = join(this.#directory, 'activations.json');
    this.#activations ??= existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as ActivationsFile)
      : { activations: [], pending: null };
    return this.#activations;
  }

  #store(file: ActivationsFile): void {
    this.#write(join(this.#directory, 'activations.json'), file);
    this.#activations = file;
  }

  #path(number: number): string {
    return join(this.#directory, `${number.toString(16).padStart(8, '0')}.json`);
  }

  /** Whole or not at all, also where the power fails in the middle. */
  #write(path: string, content: object): void {
    const temporary = `${path}.new`;
    const file = openSync(temporary, 'w');
    try {
      writeFileSync(file, JSON.stringify(content));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    const directory = openSync(this.#directory, 'r');
    fsyncSync(directory);
    closeSync(directory);
  }
}
