/** `hunt plan`: what it says is what is reserved, and what a server then takes when every entity is there. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadPipeline } from '../../src/config/index.ts';
import { planMemory, type MemoryPlan } from '../../src/memory/memory-plan.ts';
import { allocateMemory, describeMemory } from '../../src/memory/regions.ts';
import { hunt, root, startServer, temporaryFolder, type Server } from '../e2e/server.ts';
import { openStream } from '../e2e/wire-client.ts';

const folder = temporaryFolder();
let server: Server | null = null;
afterAll(async () => {
  await server?.kill();
  folder.remove();
});

const PLAYERS = 400_000;
const EVENTS_PER_FRAME = 1000;
const IN_FLIGHT = 16;
const TOLERANCE = 0.1;

/** The example game without event ids, with fewer players, a limit and a list. */
function pipeline(name: string, change: (text: string) => string = (text) => text): string {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const file = join(folder.path, `${name}.yaml`);
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'friends.txt'), '1\n2\n');
  const limited = text
    .slice(0, text.indexOf('\ntests:'))
    .replace('max: 2M, ttl: 30d', `max: ${PLAYERS}, ttl: 30d`)
    .replace(
      "- { id: digger, when: 'player.digs_1m > 40', then: challenge }",
      "- { id: digger, when: 'player.digs_1m > 0', then: challenge, limit: { count: 3, per: 10m, entity: player } }",
    )
    .replace('\ndecisions:\n', '\nlists:\n  friends: { file: friends.txt, type: int, max: 10k }\ndecisions:\n');
  writeFileSync(file, change(limited));
  return file;
}

const WITHOUT_IDS = (text: string): string =>
  text.replace('  id: event_id\n', '').replace('  dedup: { window: 10m, ids_max: 4M }\n', '');

describe('reserved', () => {
  test.each([
    ['the example game', (text: string): string => text, 1, 1],
    ['two workers, two ingress threads', (text: string): string => text, 2, 2],
    ['few entities', (text: string): string => text.replace(`max: ${PLAYERS}`, 'max: 10'), 1, 1],
  ])('%s: to the byte', async (name, change, workers, ingresses) => {
    const plan = await loadPipeline(pipeline(name.replace(/\W/g, '-'), change));
    const planned = planMemory(plan, workers, ingresses);
    const actual = describeMemory(allocateMemory(plan, workers, ingresses), plan);
    const part = (of: string): number => planned.parts.find((one) => one.name === of)!.reservedBytes;
    const later = (of: string): number => planned.asTheyCome.find((one) => one.name === of)!.fullBytes;
    expect({
      entity_player: part('entity player'),
      entity_hunt: part('entity hunt'),
      limits_player: part('limits by player'),
      lists: part('list friends'),
      lanes: part('lanes') + later('answers that wait for ClickHouse'),
      producers: later('producers'),
      ids: later('event ids'),
      dictionary: later('dictionary'),
    }).toEqual({ ...actual, total: undefined });
    const player = planned.entities[0]!;
    const features = player.features.reduce((total, { bytes }) => total + bytes, 0);
    expect(Math.round(player.headBytes + features)).toBe(player.rowBytes);
  });
});

test('a server with all of its entities takes what the plan said', async () => {
  const file = pipeline('full', WITHOUT_IDS);
  const { stdout } = await hunt(['plan', file, '--json', '--workers', '1']);
  const planned = JSON.parse(stdout) as MemoryPlan;
  server = await startServer({ data: join(folder.path, 'data'), pipeline: file, options: ['--workers', '1'] });
  const before = residentBytes(server.pid);
  const stream = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: 'filler' });
  const at = Date.now() - 60_000;
  const sent: Promise<unknown>[] = [];
  for (let frame = 0; frame * EVENTS_PER_FRAME < PLAYERS; frame++) {
    const events = Array.from({ length: EVENTS_PER_FRAME }, (_, i) => {
      const player = frame * EVENTS_PER_FRAME + i + 1;
      return { id: `e-${player}`, player, hunt: 1 + (player % 100_000), at };
    });
    sent.push(stream.send(frame + 1, events));
    if (sent.length >= IN_FLIGHT) await sent.shift();
  }
  await Promise.all(sent);
  await stream.close();
  const after = residentBytes(server.pid);
  const [low, high] = [after * (1 - TOLERANCE), after * (1 + TOLERANCE)];
  console.log(`planned=${planned.total.fullBytes} before=${before} after=${after}`);
  expect(planned.total.fullBytes).toBeGreaterThan(low);
  expect(planned.total.fullBytes).toBeLessThan(high);
});

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

test('what it prints: every feature, the limits, the parts and the sum', async () => {
  const { stdout, code } = await hunt(['plan', pipeline('printed'), '--workers', '2']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^treasure-hunt, version \w+, 2 workers, 1 ingress threads\n/);
  expect(stdout).toMatch(/entity player: \d+ bytes each, at most 400,000\n/);
  for (const name of ['digs_1m', 'spent_1h', 'limits, once taken', 'limits by player', 'list friends', 'in all'])
    expect(stdout).toContain(`  ${name} `);
  const wrong = await hunt(['plan', pipeline('wrong', (text) => text.replace('agg: count', 'agg: cuont'))]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/wrong\.yaml:\d+:\d+ /);
});
