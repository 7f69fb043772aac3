/**
 * `hunt verify`: recomputes every feature of every stored row in ClickHouse and proves that it is what the kernels served,
 * doubles to their last bit (docs/semantics.md §7). Exits 1 where anything differs.
 */

import { defineCommand } from 'citty';
import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { HuntControl, queryTarget } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { CLICKHOUSE_OPTION, jsonOption, serverOf, URL_OPTIONS } from './options.ts';
import { featureVersions } from './verify/feature-versions.ts';
import { describeReport } from './verify/verify-report.ts';
import { runVerify } from './verify/run-verify.ts';

export const verifyCommand = defineCommand({
  args: {
    pipeline: {
      type: 'positional',
      required: false,
      description: 'Pipeline file (default: the one that the server runs)',
    },
    ...URL_OPTIONS,
    ...CLICKHOUSE_OPTION,
    since: {
      type: 'string',
      description:
        'Only rows that arrived from then on: 2026-03-01T12:00:00Z, or 2h ago; older ones still feed the windows',
    },
    until: { type: 'string', description: 'Only rows that arrived before' },
    feature: { type: 'string', description: 'Only these, with commas between them: player.spent_5m' },
    skew: {
      type: 'boolean',
      default: true,
      description: 'Also count the rows that a recomputation by event time, blind to arrival, would get different',
    },
    ...jsonOption(),
  },
  async run({ args }) {
    const control = new HuntControl(serverOf(args));
    const plan = args.pipeline === undefined ? (await control.pipeline()).plan : await planOf(args.pipeline);
    const sinceMs = timeOption('since', args.since);
    const untilMs = timeOption('until', args.until);
    const target = await queryTarget(control, args.clickhouse);
    const versionsOf = await featureVersions(target, plan);
    const report = await runVerify({
      plan,
      target,
      ...(versionsOf === undefined ? {} : { versionsOf }),
      features: featuresOption(plan, args.feature),
      skew: args.skew,
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(untilMs === undefined ? {} : { untilMs }),
    });
    process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${describeReport(report)}\n`);
    if (!report.same) process.exitCode = 1;
  },
});

/** A server's plan is ready: only a file needs the compiler loaded. */
async function planOf(file: string): Promise<Plan> {
  const { loadPipeline } = await import('../config/index.ts');
  return loadPipeline(file);
}

const AGO_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** ms UTC. */
function timeOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d+)([smhd])$/.exec(text);
  const time = ago === null ? Date.parse(text) : Date.now() - Number(ago[1]) * lookup(AGO_MS, ago[2]!)!;
  if (Number.isFinite(time)) return time;
  throw new OperatingError(
    'bad_option',
    `not a time: ${name}=${text}; write 2026-03-01T12:00:00Z, or 2h for two hours ago`,
  );
}

export function featuresOption(plan: Plan, text: string | undefined): string[] {
  const known = plan.entities.flatMap((entity) => entity.features.map((feature) => `${entity.name}.${feature.name}`));
  const wanted = (text ?? '').split(',').filter((name) => name !== '');
  for (const name of wanted) {
    if (!known.includes(name)) {
      throw new OperatingError('bad_option', `no such feature: feature=${name}; the pipeline has ${known.join(', ')}`);
    }
  }
  return wanted;
}
