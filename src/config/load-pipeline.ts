/** Loads a pipeline from disk: the file, the .proto files that it names, and where its tests' events lie. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { OperatingError } from '../errors.ts';
import { packageRoot } from '../ops/compiled-url.ts';
import { compilePipeline, type CompiledPipeline } from './compile.ts';
import type { ProtoFile, ProtoReader } from './proto.ts';

export interface LoadedPipeline extends CompiledPipeline {
  /** Absolute path of the pipeline file. */
  readonly file: string;
  /** Absolute path of a file that the pipeline names (`tests[].events`). */
  pathOf(name: string): string;
}

/** The plan alone; what most callers need. */
export async function loadPipeline(file: string): Promise<Plan> {
  return (await loadPipelineFile(file)).plan;
}

export async function loadPipelineFile(file: string): Promise<LoadedPipeline> {
  const path = resolve(file);
  const folder = dirname(path);
  const compiled = compilePipeline(file, await readText(path), protoReader(folder));
  return { ...compiled, file: path, pathOf: (name) => resolve(folder, name) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new OperatingError('pipeline_unreadable', `cannot read the pipeline: file=${path}; check the path`, {
      cause,
    });
  }
}

/**
 * A name in the pipeline is looked for beside the pipeline, then in the package's proto/. An import is looked for where
 * the first file's own name began (as protoc's include path), beside the importing file, then in proto/.
 */
export function protoReader(folder: string): ProtoReader {
  const shipped = join(packageRoot(import.meta.url), 'proto');
  let includes = [folder, shipped];
  return (name, importer) => {
    const places = importer === null ? includes : [...includes, dirname(importer.path)];
    for (const place of places) {
      const file = readProto(isAbsolute(name) ? name : join(place, name));
      if (file === null) continue;
      if (importer === null) includes = [place, ...includes];
      return file;
    }
    return null;
  };
}

function readProto(path: string): ProtoFile | null {
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch {
    return null;
  }
}
