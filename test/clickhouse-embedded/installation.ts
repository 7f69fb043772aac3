/**
 * A copy of the compiled package that lacks some of the packages it depends on, as on a machine where they could not be
 * installed.
 */
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Path of the compiled clickhouse-embedded/index.js in it. */
export function installationWithout(folder: string, missing: readonly string[]): string {
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  for (const part of ['src', 'native-free-core'])
    cpSync(join(root, 'dist', part), join(folder, 'dist', part), { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!missing.includes(name)) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  return join(folder, 'dist', 'src', 'clickhouse-embedded', 'index.js');
}
