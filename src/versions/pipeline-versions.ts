/**
 * The versions of the pipeline that have decided on this data folder, each with its whole plan: blocks, batches, snapshots
 * and explanations are read by the version that wrote them. Main thread; a version is on the disk before its first block.
 *
 *   pipelines/<number in hex>.json   a PipelineVersion
 *   pipelines/activations.json       which one decided from when on, oldest first
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { wallMs } from '../system/clock.ts';
import { readDurableJson, writeDurableJson } from '../system/durable-json.ts';

export interface PipelineVersion {
  readonly plan: Plan;
  /** For `hunt send`. */
  readonly importMap: ImportMap;
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
export interface ActivationOrigin {
  readonly kind: ChangeKind;
  readonly actor: string;
  readonly reason: string;
}

/** A change that is about to happen. */
export interface PendingActivation extends ActivationOrigin {
  readonly number: number;
}

export interface Activation extends PendingActivation {
  /** The last epoch that was decided by another version. */
  readonly afterEpoch: Position;
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
const ACTIVATIONS_NAME = 'activations.json';

export class PipelineVersions {
  readonly #directory: string;
  readonly #known = new Map<number, PipelineVersion>();
  #activations: ActivationsFile | null = null;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Throws where what the start needs first cannot be read. */
  check(): void {
    this.#read();
  }

  /** null: this folder has never run it. */
  find(number: number): PipelineVersion | null {
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    const version = this.#readVersion(number);
    if (version !== null) this.#known.set(number, version);
    return version;
  }

  #readVersion(number: number): PipelineVersion | null {
    const path = this.#path(number);
    const advice =
      'restore it from a copy, or start with the pipeline file that this version came from, which writes it anew';
    const version = readDurableJson(path, advice) as PipelineVersion | null;
    if (version === null || version.plan?.versionNumber === number) return version;
    throw new OperatingError(
      'file_damaged',
      `a file of the data folder holds another version than its name says: file=${path} version=${version.plan?.version}; ${advice}`,
    );
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
    if (this.#findWhole(number) !== null) return;
    writeDurableJson(this.#path(number), version);
    this.#known.set(number, version);
  }

  /** A damaged file is as good as none where something else is at hand. */
  #findWhole(number: number): PipelineVersion | null {
    try {
      return this.find(number);
    } catch (error) {
      if (error instanceof OperatingError && error.code === 'file_damaged') return null;
      throw error;
    }
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
  found(number: number, afterEpoch: Position): void {
    const { activations, pending } = this.#read();
    if (activations.some((one) => one.number === number && one.afterEpoch === afterEpoch)) return;
    const origin = pending?.number === number ? pending : { number, kind: 'deploy' as const, actor: '', reason: '' };
    this.activate({ ...origin, afterEpoch, at: wallMs() });
  }

  /** As people know it: the hash of the file that decides, and of the one that decides beside it. */
  namesOf({ plan, shadow }: PipelineVersion): { version: string; shadow: string | null } {
    if (shadow === undefined) return { version: plan.version, shadow: null };
    return { version: this.planOf(shadow.beside).version, shadow: plan.shadow?.version ?? null };
  }

  /** Whether that version has decided since then. `since`: ms UTC. */
  wasActivated(version: string, since: number): boolean {
    return this.activations().some(({ at, number }) => {
      const found = at < since ? null : this.find(number);
      return found !== null && this.namesOf(found).version === version;
    });
  }

  /** A version by its hash, or by the begin of it. */
  byName(version: string): PipelineVersion | null {
    for (const { number } of [...this.activations()].reverse()) {
      const found = this.find(number);
      if (version !== '' && found?.plan.version.startsWith(version) === true) return found;
    }
    return null;
  }

  /**
   * The newest that came from these files; null: none did. Of a file that was refused not all that it names may have been
   * read.
   */
  fromFiles(sources: SourceTexts): PipelineVersion | null {
    for (const { number } of [...this.activations()].reverse()) {
      const found = this.#findWhole(number);
      if (found !== null && cameFrom(found.sources, sources)) return found;
    }
    return null;
  }

  #read(): ActivationsFile {
    if (this.#activations !== null) return this.#activations;
    const path = join(this.#directory, ACTIVATIONS_NAME);
    const advice =
      'restore it from a copy, or move it away: the history of changes then begins anew here, and stays in the table pipelines';
    const file = (readDurableJson(path, advice) ?? { activations: [], pending: null }) as ActivationsFile;
    if (!Array.isArray(file.activations))
      throw new OperatingError('file_damaged', `not a list of activations: file=${path}; ${advice}`);
    return (this.#activations = file);
  }

  #store(file: ActivationsFile): void {
    writeDurableJson(join(this.#directory, ACTIVATIONS_NAME), file);
    this.#activations = file;
  }

  #path(number: number): string {
    return join(this.#directory, `${number.toString(16).padStart(8, '0')}.json`);
  }
}

function cameFrom(stored: SourceTexts, { text, files }: SourceTexts): boolean {
  if (stored.text !== text) return false;
  return files.every((file) =>
    stored.files.some((one) => one.name === file.name && one.importer === file.importer && one.text === file.text),
  );
}
