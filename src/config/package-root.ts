/** Where the package lies: pipelines and .proto files stay in place, for sources and compiled code alike. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the nearest package.json above this module. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The pipeline that `hunt serve` takes where none is named. */
export function defaultPipelineFile(): string {
  return join(packageRoot(), 'src', 'pipelines', 'treasure-hunt.yaml');
}
