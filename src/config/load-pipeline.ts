/** Loads a pipeline from disk: the file, the .proto files that it names, and where its tests' events lie. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { OperatingError } from '../errors.ts';
import { packageRoot } from '../system/compiled-url.ts';
import { compilePipeline, type CompiledPipeline } from './compile-pipeline.ts';
import type { NamedFile, PipelineSources } from './pipeline-sources.ts';
import { PipelineError } from './problems.ts';
import type { ProtoFile, ProtoReader } from './proto/index.ts';

export interface LoadedPipeline extends CompiledPipeline {
  readonly sources: PipelineSources;
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
  const text = await readText(path);
  const files: NamedFile[] = [];
  const sources = { file: basename(file), text, files };
  const compiled = withSources(sources, () =>
    compilePipeline(file, text, recording(protoReader(folder), folder, files)),
  );
  return { ...compiled, sources, file: path, pathOf: (name) => resolve(folder, name) };
}

/** A refused file is told with what was read of it. */
function withSources<T>(sources: PipelineSources, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof PipelineError ? new PipelineError(error.file, error.problems, sources) : error;
  }
}

/** Compiles a pipeline from its texts. */
export function compileSources({ file, text, files }: PipelineSources): CompiledPipeline {
  const found = new Map(files.map((one) => [`${one.importer ?? ''}\0${one.name}`, one]));
  return compilePipeline(file, text, (name, importer) => found.get(`${importer?.path ?? ''}\0${name}`) ?? null);
}

/** Notes what is read; files are named from the pipeline's folder, so that nobody is told where it lay. */
function recording(read: ProtoReader, folder: string, files: NamedFile[]): ProtoReader {
  const absolute = new Map<string, string>();
  return (name, importer) => {
    const at = importer === null ? null : { ...importer, path: absolute.get(importer.path) ?? importer.path };
    const file = read(name, at);
    if (file === null) return null;
    const path = relative(folder, file.path);
    absolute.set(path, file.path);
    files.push({ name, importer: importer?.path ?? null, path, text: file.text });
    return { path, text: file.text };
  };
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
