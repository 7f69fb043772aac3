/**
 * `hunt plan FILE`: what a pipeline would take in memory, by entity and feature and in all, before it starts. ClickHouse has
 * its own, beside it. With `--url`: what `hunt deploy` would do with it on a server that runs (plan/plan-change.ts).
 */

import { defineCommand } from 'citty';
import { availableParallelism } from 'node:os';
import { HuntControl } from '../client/index.ts';
import { loadPipelineFile, PipelineError } from '../config/index.ts';
import { planMemory, type EntityMemoryPlan, type MemoryPart, type MemoryPlan } from '../memory/memory-plan.ts';
import { defaultPipeline } from '../config/default-pipeline.ts';
import { writeWarnings } from './pipeline-warnings.ts';
import { changeText } from './plan/change-text.ts';
import { planChange } from './plan/plan-change.ts';
import { memoryText } from './plan/memory-text.ts';
import { textTable } from './text-table.ts';
import { countOption, jsonOption, serverOf, URL_OPTIONS } from './options.ts';

export const planCommand = defineCommand({
  args: {
    file: { type: 'positional', required: false, description: 'Pipeline file (default: the example game)' },
    workers: { type: 'string', description: 'Decision workers (default: cores - 1, at least 1)' },
    ingresses: { type: 'string', default: '1', description: 'Ingress threads' },
    url: {
      type: 'string',
      description:
        'A server that runs: what would be kept, backfilled, dropped or refused; exits 1 where it is refused',
    },
    key: URL_OPTIONS.key,
    'key-file': URL_OPTIONS['key-file'],
    clickhouse: {
      type: 'string',
      description: 'With --url: ClickHouse to ask (default: the one that the server names)',
    },
    ...jsonOption('Print the figures as one JSON object, in bytes'),
  },
  async run({ args }) {
    const workers = args.workers ?? String(Math.max(1, availableParallelism() - 1));
    try {
      const loaded = await loadPipelineFile(args.file ?? defaultPipeline());
      const { plan } = loaded;
      writeWarnings(loaded.warnings);
      if (args.url !== undefined) {
        const control = new HuntControl(serverOf({ ...args, url: args.url }));
        const ingresses = countOption('ingresses', args.ingresses, 1, 8);
        const planned = await planChange({ control, loaded, clickhouse: args.clickhouse, ingresses });
        process.stdout.write(`${args.json ? JSON.stringify(planned) : changeText(planned)}\n`);
        if (!planned.accepted) process.exitCode = 1;
        return;
      }
      const memory = planMemory(
        plan,
        countOption('workers', workers, 1, 16),
        countOption('ingresses', args.ingresses, 1, 8),
      );
      const title = `${plan.pipeline}, version ${plan.version}, ${memory.workers} workers, ${memory.ingresses} ingress threads`;
      process.stdout.write(`${args.json ? JSON.stringify(memory) : planText(title, memory)}\n`);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
  },
});

export function planText(title: string, memory: MemoryPlan): string {
  const rows = [...memory.parts, memory.total].map(partRow);
  const later = memory.asTheyCome.filter(({ fullBytes }) => fullBytes > 0);
  return [
    title,
    ...memory.entities.flatMap(entityLines),
    '',
    ...textTable([['', 'reserved', 'when full'], ...rows], 'figures'),
    '',
    'besides, as they come, at most',
    ...textTable(
      later.map(({ name, fullBytes }) => [name, memoryText(fullBytes)]),
      'figures',
    ),
    '',
    'ClickHouse takes its own.',
  ].join('\n');
}

function entityLines({ name, max, rowBytes, indexBytes, features, headBytes, limitBytes }: EntityMemoryPlan): string[] {
  const rows = [
    ['key, numbers and clock', bytes(headBytes)],
    ...features.map((feature) => [feature.name, bytes(Math.round(feature.bytes))]),
    ['index', bytes(Math.round(indexBytes))],
    ...(limitBytes > 0 ? [['limits, once taken', bytes(limitBytes)]] : []),
  ];
  const each = rowBytes + Math.round(indexBytes) + limitBytes;
  return [
    '',
    `entity ${name}: ${bytes(each)} each, at most ${max.toLocaleString('en')}`,
    ...textTable(rows, 'figures'),
  ];
}

function partRow({ name, reservedBytes, fullBytes }: MemoryPart): string[] {
  return [name, memoryText(reservedBytes), memoryText(fullBytes)];
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`;
}
