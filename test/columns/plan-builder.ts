/** Plans by hand, for tests and benches of columns: only what columns look at is real. */

import { clickhouseTypes } from '../../native-free-core/columns/native-column.ts';
import type { ColumnPlan, Plan, SystemColumns } from '../../native-free-core/plan/plan.ts';

export type ColumnWish = Pick<ColumnPlan, 'name' | 'kind'> & Partial<ColumnPlan>;

/** The columns that the engine itself fills stand first, in this order. */
const SYSTEM: readonly ColumnWish[] = [
  { name: 'received_at', kind: 'time', codec: 'CODEC(Delta(8), LZ4)' },
  { name: 'event_time', kind: 'time' },
  { name: 'effective_time', kind: 'time' },
  { name: 'type', kind: 'code', labels: ['', 'alpha', 'beta', 'gamma'] },
  { name: 'producer', kind: 'dictionary' },
  { name: 'frame_seq', kind: 'u64' },
  { name: 'frame_index', kind: 'u32' },
  { name: 'overflow', kind: 'u8', clickhouseType: 'UInt8' },
];

export function columnOf(wish: ColumnWish, index: number): ColumnPlan {
  const column: ColumnPlan = {
    index,
    shape: 'scalar',
    nullable: false,
    clickhouseType: '',
    codec: '',
    comment: `made for a test: ${wish.name}`,
    branch: -1,
    ...wish,
  };
  return column.clickhouseType === '' ? { ...column, clickhouseType: clickhouseTypes(column)[0] } : column;
}

export function planOf(wishes: readonly ColumnWish[], overrides: Partial<Plan> = {}): Plan {
  const columns = [...SYSTEM, ...wishes].map(columnOf);
  const system: SystemColumns = {
    eventId: -1,
    eventTime: 1,
    receivedAt: 0,
    effectiveTime: 2,
    type: 3,
    producer: 4,
    frameSeq: 5,
    frameIndex: 6,
    overflow: 7,
  };
  return {
    pipeline: 'made-for-a-test',
    owner: 'tests',
    version: '00ff',
    versionNumber: 7,
    message: { name: 'Test', fields: [] },
    columns,
    system,
    acceptMaxAgeMs: 0,
    acceptMaxFutureMs: 0,
    maxFutureSkewMs: 0,
    dedupWindowMs: 0,
    dedupIdsMax: 0,
    dictionaryMax: 1000,
    entities: [],
    decisions: [],
    source: 'format: 1',
    ...overrides,
  };
}
