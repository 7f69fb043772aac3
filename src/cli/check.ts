/**
 * `hunt check FILE`: reads a pipeline and explains what it makes of it, without a server. Ends with code 1 and every
 * problem where the file is wrong.
 */

import { aggregateOf } from '../../native-free-core/language/aggregates/index.ts';
import { defineCommand } from 'citty';
import type {
  DecisionPlan,
  EntityPlan,
  ExperimentPlan,
  FeaturePlan,
  ModelPlan,
  Plan,
  RulePlan,
} from '../../native-free-core/plan/plan.ts';
import { durationText, loadPipelineFile, PipelineError, pipelineJsonSchema, windowText } from '../config/index.ts';
import { experimentSql } from './check/experiment-sql.ts';
import { defaultPipeline } from '../config/default-pipeline.ts';
import { jsonOption } from './options.ts';
import { textTable } from './text-table.ts';

export const checkCommand = defineCommand({
  args: {
    file: { type: 'positional', required: false, description: 'Pipeline file (default: the example game)' },
    ...jsonOption('Print the plan, or the problems, as JSON'),
    schema: { type: 'boolean', default: false, description: 'Print the JSON Schema of pipeline files, for editors' },
  },
  async run({ args }) {
    if (args.schema) return print(JSON.stringify(pipelineJsonSchema(), null, 2));
    const file = args.file ?? defaultPipeline();
    try {
      const { plan, tests, warnings } = await loadPipelineFile(file);
      const odd = warnings.length === 0 ? {} : { warnings };
      print(args.json ? JSON.stringify({ valid: true, ...odd, plan }, null, 2) : summary(plan, tests.length, warnings));
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      if (args.json) print(JSON.stringify({ valid: false, file: error.file, problems: error.problems }, null, 2));
      else process.stderr.write(`${error.message}\n${count(error.problems.length, 'problem')}\n`);
      process.exitCode = 1;
    }
  },
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function summary(plan: Plan, tests: number, warnings: readonly string[]): string {
  const owner = plan.owner === '' ? '' : ` of ${plan.owner}`;
  return [
    `${plan.pipeline}${owner}, version ${plan.version}`,
    `events of ${plan.message.name}, ${eventTypes(plan)}`,
    ...plan.entities.flatMap(entityLines),
    ...derivedLines(plan),
    ...zoneLines(plan),
    ...listLines(plan),
    ...(plan.experiments ?? []).flatMap((experiment) => experimentLines(plan, experiment)),
    ...(plan.lists ?? []).flatMap((list) => [
      '',
      `list ${list.name}: ${list.entries.length} of at most ${list.max} entries of ${list.file}`,
    ]),
    ...(plan.models ?? []).flatMap(modelLines),
    ...queryLines(plan),
    ...plan.decisions.flatMap((decision) => [
      '',
      `decision ${decision.name}: ${decision.actions.join(' | ')}`,
      ...textTable(decision.rules.map((rule) => ruleRow(plan, decision, rule))),
      ...textTable([['otherwise', decision.actions[decision.default - 1]!]]),
    ]),
    '',
    `${count(plan.columns.length, 'column')} in events`,
    ...textTable(plan.columns.map((column) => [column.name, column.clickhouseType, column.comment])),
    '',
    ...warnings.map((warning) => `warning: ${warning}`),
    `${count(tests, 'test')}; no problems`,
  ].join('\n');
}

function eventTypes(plan: Plan): string {
  const column = plan.columns[plan.system.type];
  return column === undefined ? 'without types' : `types ${(column.labels ?? []).slice(1).join(', ')}`;
}

function entityLines(entity: EntityPlan): string[] {
  const role = entity.primary ? ', primary' : '';
  const bounds = `at most ${entity.max}, forgotten after ${durationText(entity.ttlMs)}`;
  return [
    '',
    `entity ${entity.name}${role}: key ${entity.keyTexts.join(', ')}; ${bounds}`,
    ...textTable(entity.features.map(featureRow)),
  ];
}

function derivedLines(plan: Plan): string[] {
  const derived = (plan.computed ?? []).filter(({ name }) => name !== '');
  const rows = derived.map(({ name, column, before }) => [
    name,
    before ? 'of the event' : 'of features too',
    oneLine(plan.columns[column]!.comment),
  ]);
  return rows.length === 0 ? [] : ['', 'derived values', ...textTable(rows)];
}

function zoneLines({ zones = [], zoneData }: Plan): string[] {
  return zones.length === 0
    ? []
    : ['', `time zones ${zones.map(({ name }) => name).join(', ')}: IANA data ${zoneData}`];
}

function queryLines(plan: Plan): string[] {
  const rows = (plan.queries ?? []).map(({ name, parameters, rowsMax, msMax }) => {
    const given = parameters.map((one) => `${one.name}${one.default === null ? '' : `=${one.default}`}`);
    return [name, given.join(', '), `at most ${rowsMax} rows, ${durationText(msMax)}`];
  });
  return rows.length === 0 ? [] : ['', 'queries', ...textTable(rows)];
}

function listLines(plan: Plan): string[] {
  const rows = (plan.lists ?? []).map(({ name, type, file, entries, max }) => [
    `list.${name}`,
    type,
    file,
    `${entries.length} of at most ${max}`,
  ]);
  return rows.length === 0 ? [] : ['', 'lists', ...textTable(rows)];
}

function featureRow(feature: FeaturePlan): string[] {
  const windowed = feature.windowMs > 0;
  const hops = windowed ? `${feature.windowMs / feature.hopMs} hops of ${durationText(feature.hopMs)}` : '';
  return [feature.name, aggregateOf(feature).text.subject(feature), windowText(feature), hops];
}

function experimentLines(plan: Plan, experiment: ExperimentPlan): string[] {
  const { name, keyText, salt, arms } = experiment;
  const rows = arms.map((arm) => [arm.name, `${arm.percent} %`]);
  return [
    '',
    `experiment ${name}: key ${oneLine(keyText)}; salt ${salt}`,
    ...textTable(rows),
    `  ${experimentSql(plan, experiment)}`,
  ];
}

function modelLines({ name, format, file, output, inputTexts, content }: ModelPlan): string[] {
  const size =
    content.kind === 'linear'
      ? count(content.weights.length, 'weight')
      : `${count(content.roots.length, 'tree')} of ${count(content.feature.length, 'node')}`;
  return [
    '',
    `model ${name}: ${output} of ${file} (${format}), ${size}, ${count(inputTexts.length, 'input')}`,
    ...textTable(inputTexts.map((text, i) => [String(i), text])),
  ];
}

function ruleRow(plan: Plan, decision: DecisionPlan, { id, then, whenText, limit }: RulePlan): string[] {
  const row = [id, decision.actions[then - 1]!, oneLine(whenText)];
  if (limit === undefined) return row;
  const per = `${durationText(limit.perMs)} and ${plan.entities[limit.entity]!.name}`;
  return [...row, `at most ${limit.count} per ${per}, in hops of ${durationText(limit.hopMs)}`];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
