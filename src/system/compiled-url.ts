/**
 * Threads and child processes start from compiled JavaScript, also when the caller itself runs from source (in tests):
 * Node 20 cannot run TypeScript.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { dirname, join, relative, resolve } from 'node:path';
import { OperatingError } from '../errors.ts';

/** The compiled counterpart of `relativeFile` (`./x.js`), as seen from the module at `moduleUrl`, as a file URL. */
export function compiledUrl(moduleUrl: string, relativeFile: string): string {
  const wanted = resolve(dirname(fileURLToPath(moduleUrl)), relativeFile);
  if (existsSync(wanted)) return pathToFileURL(wanted).href;
  const root = packageRoot(moduleUrl);
  const compiled = join(root, 'dist', relative(root, wanted));
  if (existsSync(compiled)) return pathToFileURL(compiled).href;
  throw new OperatingError(
    'not_built',
    `a compiled file is missing: file=${relative(root, compiled)}; run npm run build`,
  );
}

/** The folder of the package's package.json, from any module in it. */
export function packageRoot(moduleUrl: string): string {
  for (let folder = dirname(fileURLToPath(moduleUrl)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder)
      throw new OperatingError('package_root', `no package.json above ${fileURLToPath(moduleUrl)}`);
  }
}
