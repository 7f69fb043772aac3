/**
 * The client as it would be published, unpacked into a project of its own that has nothing else, and bundled there. Used by
 * tests.
 */

import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { root } from '../e2e/server.ts';

const run = promisify(execFile);

export interface PackedClient {
  readonly files: readonly string[];
  /** Of the archive. */
  readonly bytes: number;
  /** The project's folder. */
  readonly project: string;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** `npm pack`, which compiles the package first, into a project at `folder`. */
export async function packClient(folder: string): Promise<PackedClient> {
  const packages = join(folder, 'node_modules');
  const client = join(packages, '@treasure-hunt-engine', 'client');
  mkdirSync(client, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--workspace', 'client', '--pack-destination', folder, '--json'], {
    cwd: root,
  });
  const said: unknown = JSON.parse(stdout);
  const [packed] = Object.values(said as Record<string, Packed>);
  await run('tar', ['-xzf', join(folder, packed!.filename), '-C', client, '--strip-components=1']);
  symlinkSync(join(root, 'node_modules', 'ws'), join(packages, 'ws'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  return { files: packed!.files.map(({ path }) => path), bytes: packed!.size, project: folder };
}

/** As a page would be made: one script of `entry` for browsers, by both bundlers. */
export const BUNDLERS = {
  async esbuild(project: string, entry: string): Promise<string> {
    const { outputFiles } = await esbuild({
      entryPoints: [join(project, entry)],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      logLevel: 'error',
    });
    return outputFiles[0]!.text;
  },
  async vite(project: string, entry: string): Promise<string> {
    const result = await vite({
      root: project,
      configFile: false,
      logLevel: 'error',
      build: { write: false, lib: { entry: join(project, entry), formats: ['es'], fileName: 'page' } },
    });
    const [bundle] = Array.isArray(result) ? result : [result];
    if (!('output' in bundle!)) throw new Error('vite watches');
    return bundle.output[0].code;
  },
} as const;
