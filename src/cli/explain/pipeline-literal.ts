/** Values as the pipeline file would write them. */

import type { ExplainedValue } from '../../contract/explanation.ts';

export function literalText(value: ExplainedValue): string {
  return value === null ? 'absent' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
