/** What a model gives that is no finite number is no score. */

import { expect, test } from 'vitest';
import { scoreRows } from '../../native-free-core/decide/score-rows.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';

test('scores that are no finite numbers are absent', () => {
  const given = [Infinity, -Infinity, NaN, 0.5, 1.7976931348623157e308, -0];
  const column = createColumn({
    index: 0,
    name: 'model_m',
    kind: 'f64',
    shape: 'scalar',
    nullable: true,
    clickhouseType: 'Nullable(Float64)',
    codec: '',
    comment: '',
    branch: -1,
  });
  const step = 4;
  let at = 0;
  scoreRows(
    {
      gather: () => undefined,
      evaluate: (_, rows, __, out) => {
        out.set(given.slice(at, at + rows));
        at += rows;
      },
      features: 1,
      step,
      inputs: new Float64Array(step),
      scores: new Float64Array(step),
      column,
    },
    0,
    given.length,
  );
  expect(Array.from(column.nulls.subarray(0, given.length))).toEqual([1, 1, 1, 0, 0, 0]);
  expect(Array.from(column.f64.subarray(3, given.length))).toEqual(given.slice(3));
});
