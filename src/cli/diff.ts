/**
 * `hunt diff`: where the shadow decides otherwise than the live version, by decision, action and rule, over the events that
 * both have decided. Asks ClickHouse.
 */

import { defineCommand } from 'citty';
import type { DecisionPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { HuntControl, queryRows, queryTarget, type QueryTarget } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { quoteName } from '../contract/sql-text.ts';
import { eventsSource } from '../contract/events-source.ts';
import { CLICKHOUSE_OPTION, jsonOption, serverOf, URL_OPTIONS } from './options.ts';

const PREFIX = 'shadow_';
const QUERY_MS = 600_000;

export interface DecisionDiff {
  readonly decision: string;
  readonly rows: number;
  readonly different: number;
  /** The most frequent first. */
  readonly parts: readonly {
    readonly live: string;
    readonly live_rule: string;
    readonly shadow: string;
    readonly shadow_rule: string;
    readonly rows: number;
    /** Event id of one of them, where the pipeline has ids. */
    readonly example: string;
  }[];
}

export const diffCommand = defineCommand({
  args: {
    ...URL_OPTIONS,
    ...CLICKHOUSE_OPTION,
    ...jsonOption(),
  },
  async run({ args }) {
    const control = new HuntControl(serverOf(args));
    const [{ plan }, { running }] = await Promise.all([control.pipeline(), control.pipelines()]);
    if (plan.shadow === undefined) {
      throw new OperatingError(
        'no_shadow',
        'no shadow decides beside the live version: begin one with hunt deploy FILE --shadow',
      );
    }
    const target = await queryTarget(control, args.clickhouse);
    const decisions: DecisionDiff[] = [];
    for (const shadow of plan.decisions) {
      const live = plan.decisions.find(({ name }) => `${PREFIX}${name}` === shadow.name);
      if (shadow.isShadow === true && live !== undefined) decisions.push(await compare(target, plan, live, shadow));
    }
    const report = { live: running.version, shadow: plan.shadow.version, decisions };
    process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${decisions.map(diffText).join('\n\n')}\n`);
  },
});

async function compare(
  target: QueryTarget,
  plan: Plan,
  live: DecisionPlan,
  shadow: DecisionPlan,
): Promise<DecisionDiff> {
  const column = (index: number): string => quoteName(plan.columns[index]!.name);
  const id = plan.system.eventId < 0 ? "''" : `toString(any(${column(plan.system.eventId)}))`;
  const actions = [live.actionColumn, live.ruleColumn, shadow.actionColumn, shadow.ruleColumn].map(column);
  const parts = await queryRows<DecisionDiff['parts'][number] & { readonly same: number }>(
    target,
    `SELECT toString(${actions[0]}) AS live, toString(${actions[1]}) AS live_rule, toString(${actions[2]}) AS shadow,
      toString(${actions[3]}) AS shadow_rule, count() AS rows, ${id} AS example, live = shadow AS same
     FROM ${eventsSource('all').from} WHERE _pipeline = ${plan.versionNumber} GROUP BY live, live_rule, shadow, shadow_rule ORDER BY rows DESC`,
    QUERY_MS,
  );
  const sum = (wanted: typeof parts): number => wanted.reduce((all, { rows }) => all + rows, 0);
  const different = parts.filter(({ same }) => same === 0);
  return {
    decision: live.name,
    rows: sum(parts),
    different: sum(different),
    parts: different,
  };
}

function diffText({ decision, rows, different, parts }: DecisionDiff): string {
  const share = rows === 0 ? 0 : (different / rows) * 100;
  const head = `${decision}: ${different} of ${rows} events decided otherwise (${share.toFixed(2)}%)`;
  const side = (action: string, rule: string): string => (action === '' ? 'not asked' : `${action} (${rule})`);
  const lines = parts.map(
    (part) =>
      `  ${String(part.rows).padStart(8)}  ${side(part.live, part.live_rule)} -> ${side(part.shadow, part.shadow_rule)}` +
      (part.example === '' ? '' : `  e.g. ${part.example}`),
  );
  return [head, ...lines].join('\n');
}
