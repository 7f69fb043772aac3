/**
 * The versions of the pipeline that have decided on this data folder, each with its whole plan: blocks, batches, snapshots and
 * explanations are read by the version that wrote them. Main thread; a version is on the disk before its first block.
 *
 *   pipelines/<number in hex>.json   { plan, importMap }
 *   pipelines/active.json            { number, afterEpoch }: which one decides the epochs after that one
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
}

export interface ActiveVersion {
  readonly number: number;
  /** The last epoch that was decided by another version. */
  readonly afterEpoch: number;
}

export class PipelineVersions {
  readonly #directory: string;
  readonly #known = new Map<number, PipelineVersion>();

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

  active(): ActiveVersion | null {
    const path = join(this.#directory, 'active.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ActiveVersion) : null;
  }

  /** Durable on return. */
  activate(active: ActiveVersion): void {
    this.#write(join(this.#directory, 'active.json'), active);
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
