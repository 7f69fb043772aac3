/** Keys of look-ups as texts: what lies beyond the field's type is no key, for its low bits would be another one's. */

import { expect, test } from 'vitest';
import { keyFromText } from '../../native-free-core/features/entity-keys.ts';
import type { EntityPlan, Plan } from '../../native-free-core/plan/plan.ts';

function key(kind: string, text: string): readonly number[] | null {
  const plan = { columns: [{ kind }] } as unknown as Plan;
  const entity = { key: [{ node: 'column', column: 0 }] } as unknown as EntityPlan;
  const words = keyFromText(plan, entity, [text], { utf8: (t) => new TextEncoder().encode(t), label: () => -1 });
  return words === null ? null : [...words];
}

test.each([
  ['u64', '18446744073709551615', [-1, -1, 0, 1]],
  ['u64', '-1', null],
  ['u64', '18446744073709551616', null],
  ['i64', '-1', [-1, -1, 0, 1]],
  ['i64', '9223372036854775808', null],
  ['i64', '-9223372036854775809', null],
  ['u32', '4294967295', [-1, 0, 0, 1]],
  ['u32', '4294967296', null],
  ['u32', '-1', null],
  ['i32', '2147483647', [2147483647, 0, 0, 1]],
  ['i32', '2147483648', null],
  ['i32', '-2147483648', [-2147483648, -1, 0, 1]],
  ['time', '1700000000000', [-807049216, 395, 0, 1]],
  ['u8', 'true', [1, 0, 0, 1]],
  ['u8', '2', null],
  ['u64', '1e3', null],
  ['u64', '', null],
  ['u64', 'constructor', null],
])('%s %s', (kind, text, words) => expect(key(kind, text)).toEqual(words));
