/**
 * What a batch of the example game costs ClickHouse: its insert alone, into the table as it is and into tables that leave
 * something out, in turn. The differences say what sorting, codecs and receiving take.
 */

import { loadPipeline } from '../../src/config/index.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { eventsTable, type TableDefinition } from '../../src/warehouse/tables/definitions.ts';
import type { Bench } from '../bench.ts';
import { bodyOf, openInsertRig, sealedBlocks, type Body, type InsertRig } from './insert-rig.ts';

/** A batch at full load, and the players of `hunt load` in the figures of README.md. */
const BATCH_ROWS = 350_000;
const PLAYERS = 210_000;

interface Variant {
  readonly name: string;
  readonly table: TableDefinition;
  readonly body: Body;
}

function variantsOf(table: TableDefinition, body: Body, whole: Body): Variant[] {
  const variant = (name: string, change: Partial<TableDefinition>, sent = body): Variant => ({
    name,
    table: { ...table, ...change },
    body: sent,
  });
  const { partition } = /^MergeTree (?<partition>.*) ORDER BY/.exec(table.engine)!.groups!;
  const columns = table.columns.map((column) => ({ ...column, codec: '' }));
  return [
    variant('as it is', { name: 'as_it_is' }),
    variant('one Native block', { name: 'one_block' }, whole),
    variant('no sort key', { name: 'no_key', engine: `MergeTree ${partition} ORDER BY tuple()` }),
    variant('LZ4 alone', { name: 'lz4', columns }),
    variant('received and parsed alone', { name: 'nothing', engine: 'Null', indexes: [], settings: {} }),
  ];
}

async function measure(rig: InsertRig, variants: readonly Variant[], rounds: number): Promise<number[][]> {
  for (const { table } of variants) await rig.create(table);
  const seconds = variants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { table, body }] of variants.entries()) {
      const spent = await rig.insert(table, body, 2);
      // The first round finds caches and tables empty.
      if (round > 0) seconds[i]!.push((spent / 2 / body.rows) * 1e6);
    }
  }
  return seconds;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export const bench: Bench = {
  name: 'insert',
  async run({ tiny }) {
    const [rows, rounds] = tiny ? [10_000, 1] : [BATCH_ROWS, 5];
    const plan = await loadPipeline(defaultPipeline());
    const sealed = sealedBlocks(plan, tiny ? 1000 : PLAYERS, rows);
    const body = bodyOf(plan, sealed);
    const variants = variantsOf(eventsTable(plan, false), body, bodyOf(plan, sealed, Infinity));
    const rig = await openInsertRig();
    try {
      const seconds = await measure(rig, variants, rounds);
      const parameters = { rows: body.rows, bytesPerRow: Math.round(body.bytes / body.rows), rounds };
      return variants.flatMap(({ name, body: sent }, i) => {
        const checksum = String(sent.bytes);
        const ratios = seconds[i]!.map((value, round) => value / seconds[0]![round]!);
        const cpu = { name, unit: 'CPU s per M rows', value: median(seconds[i]!), checksum, parameters };
        const ratio = { name: `${name} over as it is`, unit: 'ratio', value: median(ratios), checksum, parameters };
        return i === 0 ? [cpu] : [cpu, ratio];
      });
    } finally {
      await rig.close();
    }
  },
};
