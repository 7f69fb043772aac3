/** The pipeline that comes with the package. */

import { join } from 'node:path';
import { packageRoot } from '../system/compiled-url.ts';

export function defaultPipeline(): string {
  return join(packageRoot(import.meta.url), 'src', 'examples', 'treasure-hunt', 'pipeline.yaml');
}
