/**
 * Every expression of every pipeline in this repository is SQL that ClickHouse takes over the real table, typed as promised.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Expression, ExpressionType, Plan } from '../../../native-free-core/plan/plan.ts';
import { compilePipeline, protoReader } from '../../../src/config/index.ts';
import { createTables } from '../../../src/warehouse/tables/index.ts';
import { conditionSql, isNullable, sqlOf } from '../../../native-free-core/language/sql/index.ts';
import { openWarehouse } from '../../columns/warehouse.ts';

const root = join(import.meta.dirname, '../../..');
const PIPELINES = [
  'src/examples/treasure-hunt/pipeline.yaml',
  'test/e2e/world-cup/pipeline.yaml',
  'test/e2e/retail/pipeline.yaml',
  'test/e2e/shared-columns/pipeline.yaml',
];

const warehouse = openWarehouse();
afterAll(() => warehouse.close());

const TYPES: Readonly<Record<ExpressionType, RegExp>> = {
  bool: /^(Bool|UInt8)$/,
  int: /^U?Int64$/,
  time: /^Int64$/,
  double: /^Float64$/,
  string: /^String$/,
  bytes: /^String$/,
};

function expressionsOf(plan: Plan): Expression[] {
  const features = plan.entities.flatMap((entity) => entity.features);
  const decisions = plan.decisions.flatMap(({ where, rules }) => [where, ...rules.map((rule) => rule.when)]);
  return [
    ...plan.entities.flatMap((entity) => entity.key),
    ...features.flatMap(({ of, where }) => [of, where]),
    ...(plan.computed ?? []).map(({ expression }) => expression),
    ...decisions,
  ].filter((expression) => expression !== null);
}

async function compareTypes(plan: Plan): Promise<void> {
  warehouse.run('DROP DATABASE IF EXISTS hunt');
  const connection = {
    execute: async (sql: string) => warehouse.run(sql),
    rows: async <Row>(sql: string) => warehouse.rows<Row>(sql),
  };
  await createTables(plan, connection, { database: 'hunt', syncs: true, logNumber: 1 });
  const expressions = expressionsOf(plan);
  const values = expressions.map((expression) => sqlOf(plan, expression));
  const conditions = expressions.filter(({ type }) => type === 'bool').map((one) => conditionSql(plan, one));
  const described = warehouse.rows<{ type: string }>(
    `DESCRIBE (SELECT ${[...values, ...conditions].map((sql, i) => `${sql} AS _${i}`).join(',\n')} FROM hunt.events)`,
  );
  described.forEach(({ type }, i) => {
    const expression = expressions[i];
    const nullable = expression !== undefined && isNullable(plan, expression);
    const plain = /^Nullable\((.*)\)$/.exec(type)?.[1];
    expect(plain !== undefined, `${type} of ${values[i]}`).toBe(nullable);
    expect(plain ?? type, values[i] ?? 'a condition').toMatch(TYPES[expression?.type ?? 'bool']);
  });
}

for (const file of PIPELINES) {
  test(file, async () => {
    const text = readFileSync(join(root, file), 'utf8');
    const reader = protoReader(join(root, file, '..'));
    await compareTypes(compilePipeline(file, text, reader).plan);
    if (text.includes('branch_columns: own'))
      await compareTypes(
        compilePipeline(file, text.replace('branch_columns: own', 'branch_columns: shared'), reader).plan,
      );
  });
}
