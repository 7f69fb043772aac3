/**
 * The engine's allocator has read what start-clickhouse.ts told it: a misspelt option is ignored silently by it, and costs
 * hundreds of MB.
 */
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { allocatorSettings } from '../../src/clickhouse-embedded/allocator.ts';
import { useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();

it('the running engine keeps as few arenas as it was told, and their pages as long', async () => {
  const stats = await server.run('SELECT * FROM system.jemalloc_stats FORMAT TSVRaw');
  const option = (name: string): string | undefined => new RegExp(`opt\\.${name}: "?([^\\s"]+)`).exec(stats)?.[1];
  expect(option('percpu_arena')).toBe('disabled');
  expect(option('narenas')).toBe(String(Math.ceil(availableParallelism() / 4)));
  expect(option('dirty_decay_ms')).toBe('30000');
});

it('a machine with more cores gets more arenas, and an operator has the last word', () => {
  expect(allocatorSettings(2)).toContain('narenas:1,');
  expect(allocatorSettings(16)).toContain('narenas:4,');
  expect(allocatorSettings(2, 'narenas:8')).toMatch(/narenas:1,.*narenas:8$/);
});
