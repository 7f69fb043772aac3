/**
 * `hunt plan FILE`: what a pipeline would take in memory, by entity and feature and in all, before it starts. ClickHouse has
 * its own, beside it.
 */

import { defineCommand } from 'citty';
import { availableParallelism } from 'node:os';
import { loadPipelineFile, PipelineError } from '../config/index.ts';
import { planMemory, type EntityMemoryPlan, type MemoryPart, type MemoryPlan } from '../memory/memory-plan.ts';
import { defaultPipeline } from '../ops/default-pipeline.ts';
import { countOption } from './send/options.ts';

export const planCommand = defineCommand({
  meta: { name: 'hunt plan', description: 'What a pipeline would take in memory, before it starts' },
  args: {
    file: { type: 'positional', required: false, description: 'Pipeline file (default: the example game)' },
    workers: { type: 'string', description: 'Decision workers (default: cores - 1, at least 1)' },
    ingresses: { type: 'string', default: '1', description: 'Ingress threads' },
    json: { type: 'boolean', default: false, description: 'Print the figures as one JSON object, in bytes' },
  },
  async run({ args }) {
    const workers = args.workers ?? String(Math.max(1, availableParallelism() - 1));
    try {
      const { plan } = await loadPipelineFile(args.file ?? defaultPipeline());
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
    ...table([['', 'reserved', 'when full'], ...rows]),
    '',
    'besides, as they come, at most',
    ...table(later.map(({ name, fullBytes }) => [name, size(fullBytes)])),
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
  return ['', `entity ${name}: ${bytes(each)} each, at most ${max.toLocaleString('en')}`, ...table(rows)];
}

function partRow({ name, reservedBytes, fullBytes }: MemoryPart): string[] {
  return [name, size(reservedBytes), size(fullBytes)];
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`;
}

function size(count: number): string {
  return count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(2)} GiB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}

/** Names to the left, figures to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i] ?? 0)));
    return `  ${cells.join('  ')}`;
  });
}
