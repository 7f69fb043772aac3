/**
 * `hunt features [pipeline.yaml]`: what features a pipeline has, and with `--sql` the query by which ClickHouse computes
 * each, which `hunt sql` runs as it stands. Needs no server.
 */

import { defineCommand } from 'citty';
import { loadPipeline } from '../config/index.ts';
import { defaultPipeline } from '../config/default-pipeline.ts';
import { featureSql } from '../warehouse/twin/index.ts';
import { featuresOption } from './verify.ts';
import { jsonOption } from './options.ts';

export const featuresCommand = defineCommand({
  args: {
    pipeline: { type: 'positional', required: false, description: 'Pipeline file (default: the example game)' },
    sql: {
      type: 'boolean',
      default: false,
      description: 'Print each feature’s query: _log, _batch, _row, key, life, seq, value',
    },
    feature: { type: 'string', description: 'Only these, with commas between them: player.spent_5m' },
    ...jsonOption(),
  },
  async run({ args }) {
    const plan = await loadPipeline(args.pipeline ?? defaultPipeline());
    const wanted = featuresOption(plan, args.feature);
    const features = plan.entities
      .flatMap((entity) =>
        entity.features.map((feature) => ({
          feature: `${entity.name}.${feature.name}`,
          column: plan.columns[feature.column]!.name,
          comment: plan.columns[feature.column]!.comment,
          ...(args.sql ? { sql: featureSql(plan, entity, feature) } : {}),
        })),
      )
      .filter(({ feature }) => wanted.length === 0 || wanted.includes(feature));
    if (args.json) return print(JSON.stringify({ pipeline: plan.pipeline, version: plan.version, features }));
    const width = Math.max(0, ...features.map(({ feature }) => feature.length));
    const texts = features.map(({ feature, comment, sql }) =>
      sql === undefined ? `${feature.padEnd(width)}  ${comment}` : `-- ${feature}: ${comment}\n${sql};\n`,
    );
    print(texts.join('\n'));
  },
});

function print(text: string): void {
  // Whoever reads it may have enough of it: hunt features --sql | head.
  process.stdout.once('error', () => undefined);
  process.stdout.write(`${text}\n`);
}
