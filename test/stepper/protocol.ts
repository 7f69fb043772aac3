/**
 * The sources of a protocol as one script, so that tests can run them on threads, or step by step over a model of shared
 * memory, as they stand or with a fault planted in them.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..', '..');

/** A fault planted in a source: `from` must stand there exactly once. */
export interface Mutation {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface ProtocolSources {
  /** Files whose exports the protocol is, from the project's root. */
  readonly files: readonly string[];
  readonly mutations?: readonly Mutation[] | undefined;
  /** File -> source that takes its place: what a protocol calls but is no part of it. */
  readonly standIns?: Readonly<Record<string, string>>;
}

/** A script that declares `protocol`, an object of all exports. */
export async function protocolScript({ files, mutations = [], standIns = {} }: ProtocolSources): Promise<string> {
  const planted = new Set<Mutation>();
  const sources: Plugin = {
    name: 'sources',
    setup(bundle) {
      bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const file = path.slice(ROOT.length + 1);
        let contents = Object.hasOwn(standIns, file) ? standIns[file]! : readFileSync(path, 'utf8');
        for (const mutation of mutations.filter((one) => one.file === file)) {
          contents = mutated(contents, mutation);
          planted.add(mutation);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: files.map((file) => `export * from './${file}';`).join('\n'), resolveDir: ROOT },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'protocol',
    platform: 'node',
    target: 'es2022',
    logLevel: 'silent',
    plugins: [sources],
  });
  for (const mutation of mutations)
    if (!planted.has(mutation)) throw new Error(`not a source of this protocol: file=${mutation.file}`);
  return outputFiles[0]!.text;
}

function mutated(source: string, { file, from, to }: Mutation): string {
  const parts = source.split(from);
  if (parts.length !== 2)
    throw new Error(`the text to change must be there once: file=${file} times=${parts.length - 1} text=${from}`);
  return parts.join(to);
}
