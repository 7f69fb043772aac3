/** The plan's lists as key lists: how a list's entries become keys. Called where a pipeline is compiled and replaced. */

import type { ListPlan, Plan } from '../../plan/plan.ts';
import {
  createKeyList,
  KEY_TAG_INTEGER,
  openKeyList,
  replaceKeys,
  textKey,
  type KeyList,
} from '../../state/key-list.ts';
import { encodeUtf8 } from './constant-utf8.ts';

const WORDS = 4;

const opened = new WeakMap<Plan, readonly KeyList[]>();

/** Lists with the entries that the plan was compiled with, for who has no shared ones; the same for the same plan. */
export function openLists(plan: Plan): readonly KeyList[] {
  let lists = opened.get(plan);
  if (lists === undefined) {
    lists = (plan.lists ?? []).map((list) => {
      const keys = openKeyList(createKeyList(list.max));
      replaceKeys(keys, listKeys(list.type, list.entries), list.entries.length);
      return keys;
    });
    opened.set(plan, lists);
  }
  return lists;
}

/** Four words for each entry; integers are decimal and have been checked. */
export function listKeys(type: ListPlan['type'], entries: readonly string[]): Int32Array {
  const keys = new Int32Array(entries.length * WORDS);
  entries.forEach((entry, i) => {
    if (type === 'string') {
      const bytes = Uint8Array.from(encodeUtf8(entry));
      textKey(bytes, 0, bytes.length, keys, i * WORDS);
      return;
    }
    const value = BigInt(entry);
    const [low, high] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
    keys.set([low, high, value >= 2n ** 63n ? 1 : 0, KEY_TAG_INTEGER], i * WORDS);
  });
  return keys;
}
