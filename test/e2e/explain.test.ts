/**
 * The dry run and the explanation of the same event, sent afterwards, say the same in every value: on a real server with
 * derived values, limits, experiments, lists, dictionary texts and shared columns. And a dry run leaves nothing behind.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredExplanation, Explanation } from '../../src/contract/explanation.ts';
import { isLong } from '../long.ts';
import { patient } from '../patience.ts';
import { seeded } from '../random.ts';
import { askPatiently, hunt, root, startServer, temporaryFolder, type Server } from './server.ts';

const folders: ReturnType<typeof temporaryFolder>[] = [];
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  for (const folder of folders) folder.remove();
});

const DERIVED = `derived:
  near: "geo.distance(event.lat, event.lon, 48.1, 11.5)"
  hour: "event.time.getHours('Europe/Berlin')"
  worth: "ratio(player.spent_1h, double(player.digs_5m)) + (has(event.lat) ? event.lat : -0.0)"
  rich: "derived.worth > 20.0"
experiments:
  hints: { key: event.player_id, arms: { control: 50, treatment: 50 } }
lists:
  cheats: { file: cheats.txt, type: int, max: 100 }
  shops: { file: shops.txt, type: string, max: 100 }
decisions:
  # Whatever can be asked.
  offer:
    where: "event.type == 'purchase' || !(event.type in ['move'])"
    actions: [none, small, large]
    rules:
      - { id: cheat, when: 'event.player_id in list.cheats', then: none }
      - { id: shop, when: "event.purchase.item in list.shops && player.last_item != 'map'", then: small, limit: { count: 1, per: 10m, entity: player } }
      - { id: arm, when: "experiment.hints == 'treatment' && player.items > 1", then: large, limit: { count: 1, per: 5m, entity: hunt } }
      - { id: item, when: "event.purchase.item.startsWith('s') && size(event.purchase.item) in [3, 5]", then: small }
      - { id: place, when: "geo.tile(event.lat, event.lon, 4) == 'u281' && derived.near < 2000.0", then: large }
      - { id: rich, when: "derived.rich ? derived.hour >= 0 : player.quiet > 60000.0", then: large }
      - { id: text, when: "event.event_id.matches('^e[0-9]*7$') && event.join.platform == 'ios'", then: small }
      - { id: never, when: "event.time.getMonth() > 11 || hash(event.event_id) % 1000 < 0", then: none }
    default: none
`;

/** The example game with all of that. */
function richPipeline(folder: string, branchColumns: 'own' | 'shared'): string {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cheats.txt'), '3\n');
  writeFileSync(join(folder, 'shops.txt'), 'spade\nmap\n');
  const features = `    quiet: { agg: time_since_last }
    last_item: { agg: previous, of: event.purchase.item }
    items: { agg: count_distinct, of: event.purchase.item, window: 1h, cap: 10 }`;
  const whole = text
    .slice(0, text.indexOf('\ntests:'))
    .replace('    quiet: { agg: time_since_last }', features)
    .replace('  type: action', `  branch_columns: ${branchColumns}\n  type: action`)
    .replace('\ndecisions:\n', () => `\n${DERIVED}`);
  const file = join(folder, 'rich.yaml');
  writeFileSync(file, whole);
  return file;
}

async function start(pipeline: (folder: string) => string | undefined): Promise<Server> {
  const folder = temporaryFolder();
  folders.push(folder);
  const file = pipeline(folder.path);
  const options = ['--batch-age', '100', '--workers', '2'];
  const data = join(folder.path, 'data');
  const server = await startServer({ data, options, ...(file === undefined ? {} : { pipeline: file }) });
  servers.add(server);
  return server;
}

interface Event {
  readonly event_id: string;
  readonly [field: string]: unknown;
}

function randomEvent(random: () => number, i: number, at: number): Event {
  const whole = (below: number): number => Math.floor(random() * below);
  const items = ['spade', 'map', 'saw', 'rope', `new-${i}`];
  const branches: object[] = [
    { join: { platform: ['ios', 'android', ''][whole(3)] } },
    { move: { metres: random() * 10 } },
    { dig: { depth: whole(100) / 100, tool: ['HANDS', 'SPADE', 'DRILL'][whole(3)] } },
    { clue: { clue_id: whole(5) } },
    { find: { points: whole(50), rarity: ['COMMON', 'RARE', 'LEGENDARY'][whole(3)] } },
    { purchase: { amount: whole(20000) / 100, item: items[whole(items.length)] } },
    {},
  ];
  const place = random() < 0.8 ? { lat: 48.1 + random() / 100, lon: 11.5 + random() / 100 } : {};
  return {
    event_id: `e${i}`,
    player_id: String(1 + whole(4)),
    ...(random() < 0.8 ? { hunt_id: String(1 + whole(3)) } : {}),
    // Late ones, too.
    event_time: new Date(at + i * 2500 - (random() < 0.2 ? whole(90_000) : 0)).toISOString(),
    ...place,
    // Every second one buys.
    ...branches[random() < 0.5 ? 5 : whole(branches.length)],
  };
}

async function ask(server: Server, path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> {
  const { status, text } = await askPatiently(`${server.url}${path}`, init);
  return { status, body: JSON.parse(text) as unknown };
}

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const GameEvent = protobuf.loadSync(join(root, 'proto', 'game', 'v1', 'events.proto')).lookupType('game.v1.GameEvent');

function proto(event: Event): RequestInit {
  const milliseconds = Date.parse(event['event_time'] as string);
  const time = { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1e6 };
  const camel = Object.entries(event).map(([key, value]) => [key.replace(/_./g, (m) => m[1]!.toUpperCase()), value]);
  const plain = { ...Object.fromEntries(camel), eventTime: time } as Record<string, Record<string, unknown>>;
  if (plain['clue']) plain['clue'] = { clueId: plain['clue']['clue_id'] };
  const body = GameEvent.encode(GameEvent.fromObject(plain)).finish();
  return { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.from(body) };
}

/** Without what another moment, or another epoch, makes another. */
function comparable(explanation: Explanation | StoredExplanation): object {
  const {
    stored: _stored,
    notes: _notes,
    receivedAt: _at,
    entities,
    decisions,
    ...rest
  } = explanation as StoredExplanation;
  return {
    ...rest,
    entities: entities.map(({ life, ...entity }) => ({ ...entity, alive: life !== null })),
    decisions: decisions.map(({ limitLife, ...decision }) => ({ ...decision, limited: limitLife !== undefined })),
  };
}

const EVENTS = 80;

const VARIANTS: readonly (readonly [string, (folder: string) => string | undefined])[] = [
  // The others have all that it has, and more.
  ...(isLong ? [['the default pipeline', (): undefined => undefined] as const] : []),
  ['everything, columns of its own', (folder) => richPipeline(folder, 'own')],
  ['everything, shared columns', (folder) => richPipeline(folder, 'shared')],
];

describe.each(VARIANTS)('%s', (name, pipeline) => {
  test('what would be decided is what is decided', async () => {
    const seed = Date.now() >>> 0;
    console.log(`seed ${seed}`);
    const random = seeded(seed);
    const server = await start(pipeline);
    const at = Date.now() - EVENTS * 2500 - 60_000;
    const dry: Explanation[] = [];
    for (let i = 0; i < EVENTS; i++) {
      const event = randomEvent(random, i, at);
      const first = await ask(server, '/v1/decide', json(event));
      expect(first).toMatchObject({ status: 200 });
      const second = await ask(server, '/v1/decide', proto(event));
      expect(comparable(second.body as Explanation)).toEqual(comparable(first.body as Explanation));
      dry.push(second.body as Explanation);
      const { status, body } = await ask(server, '/v1/events', json(event));
      expect(status).toBe(200);
      // The answer that the client got.
      const { decisions } = first.body as Explanation;
      const [answered] = (body as { decisions: Record<string, string | null>[] }).decisions;
      expect(Object.fromEntries(decisions.map(({ decision, action }) => [decision, action || null]))).toEqual(answered);
    }
    const rules = new Set<string>();
    const limits = new Set<string>();
    for (let i = 0; i < EVENTS; i++) {
      const { status, body } = await ask(server, `/v1/decisions/e${i}`);
      expect(status).toBe(200);
      const stored = body as StoredExplanation;
      expect(comparable(stored)).toEqual(comparable(dry[i]!));
      expect(stored.notes).toEqual([]);
      for (const { rule, rules: all } of stored.decisions) {
        rules.add(rule);
        for (const { limit } of all) if (limit !== undefined) limits.add(limit.outcome);
      }
    }
    console.log(`${name}: ${[...rules].join(' ')} limits: ${[...limits].join(' ')}`);
    expect(rules.size).toBeGreaterThan(1);
    if (name !== 'the default pipeline') {
      expect([...rules]).toEqual(expect.arrayContaining(['cheat', 'shop', 'arm']));
      // Which of the others decide is the seed's.
      expect(rules.size).toBeGreaterThan(4);
      expect([...limits].sort()).toEqual(['not_asked', 'taken', 'used_up']);
    }

    // Dry runs have left nothing behind.
    const ledger = await server.get<{ total: Record<string, number> }>('/v1/ledger');
    expect(ledger.total).toMatchObject({ received: EVENTS, accepted: EVENTS, duplicates: 0, deadLettered: 0 });
    expect(await server.query('SELECT count() AS n FROM events')).toEqual([{ n: EVENTS }]);
    const verified = await hunt(['verify', '--no-skew', '--url', server.url]);
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
    await server.stop();
    servers.delete(server);
  });
});

describe('the example game', () => {
  let server: Server;
  beforeAll(async () => {
    server = await start(() => undefined);
  });

  test('the commands show what the server says', async () => {
    const event = { event_id: 'x 1/ü', player_id: '1', event_time: new Date().toISOString(), dig: { depth: 1 } };
    await ask(server, '/v1/events', json(event));
    const url = ['--url', server.url];
    const day = new Date().toISOString().slice(0, 10);
    const explained = await hunt(['explain', 'x 1/ü', '--json', ...url]);
    expect(explained.code, explained.stderr).toBe(0);
    expect(JSON.parse(explained.stdout)).toEqual((await ask(server, `/v1/decisions/x%201%2F%C3%BC?day=${day}`)).body);
    const text = await hunt(['explain', 'x 1/ü', '--day', day, ...url]);
    expect(text.stdout).toMatch(/^x 1\/ü {3}dig\n[^]*\ntrust → allow {3}no rule decided\n {2}✗ digger\n/);

    const lines = [event, { ...event, event_id: 'y' }].map((one) => JSON.stringify(one)).join('\n');
    const decided = await hunt(['decide', '-', '--json', ...url], { input: lines });
    const all = decided.stdout.trim().split('\n');
    expect(all.map((line) => (JSON.parse(line) as Explanation).features['player.digs_5m'])).toEqual([2, 2]);
    const binary = Buffer.from(proto({ ...event, event_id: 'z' }).body as Uint8Array);
    const fromProto = await hunt(['decide', '-', '--protobuf', ...url], { input: binary });
    expect(fromProto.stdout).toMatch(/^z {3}dig {3}dry run: nothing was recorded\n/);
    const wrong = await hunt(['decide', '-', ...url], { input: JSON.stringify({ ...event, player_id: '0' }) });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('code=no_key')]);
  });

  test('what cannot be decided or explained is refused with its code', async () => {
    const code = async (path: string, init?: RequestInit): Promise<unknown> => {
      const { status, body } = await ask(server, path, init);
      return `${status} ${(body as { error: { code: string } }).error.code}`;
    };
    const good = { event_id: 'x', player_id: '3', event_time: new Date().toISOString(), dig: { depth: 1 } };
    expect(await code('/v1/decide', json({ ...good, player_id: undefined }))).toBe('400 no_key');
    expect(await code('/v1/decide', json({ ...good, event_time: undefined }))).toBe('400 no_time');
    expect(await code('/v1/decide', json({ ...good, event_time: '2099-01-01T00:00:00Z' }))).toBe('400 time_too_new');
    expect(await code('/v1/decide', json({ ...good, dig: 'deep' }))).toBe('400 wrong_type');
    expect(await code('/v1/decide', json([good, good]))).toBe('400 not_one_event');
    expect(await code('/v1/decide', { ...json(good), body: '{' })).toBe('400 malformed');
    expect(await code('/v1/decide', { ...proto(good), body: new Uint8Array([255, 255]) })).toBe('400 malformed');
    expect(await code('/v1/decide', { ...json(good), headers: { 'content-type': 'text/plain' } })).toBe(
      '415 unknown_content_type',
    );
    expect(await code('/v1/decide')).toBe('405 method_not_allowed');
    expect(await code('/v1/decisions/nobody')).toBe('404 unknown_event');
    expect(await code('/v1/decisions/nobody?day=yesterday')).toBe('400 bad_day');
    expect(await code(`/v1/decisions/${encodeURIComponent("x' OR 1=1 --\\")}`)).toBe('404 unknown_event');
    // An id that was seen is said to be a duplicate, and decided all the same.
    await ask(server, '/v1/events', json({ ...good, event_id: 'seen', player_id: '2' }));
    const again = await ask(server, '/v1/decide', json({ ...good, event_id: 'seen', player_id: '2' }));
    expect((again.body as Explanation).notes).toEqual([expect.stringContaining('duplicate')]);
    expect((again.body as Explanation).features['player.digs_5m']).toBe(2);
    // A refused event leaves nothing to the next one.
    const { status, body } = await ask(server, '/v1/decide', json(good));
    const { features, notes } = body as Explanation;
    expect([status, features['player.digs_5m'], notes]).toEqual([200, 1, []]);

    // Whoever asks too much is told to wait; the events go on.
    const statuses = new Set<number>();
    const end = performance.now() + patient(8000);
    while (!(statuses.has(429) && statuses.has(200)) && performance.now() < end) {
      const asked = Array.from({ length: 100 }, () => fetch(`${server.url}/v1/decide`, json(good)));
      for (const answer of await Promise.all(asked)) statuses.add(answer.status);
    }
    expect([...statuses].sort((a, b) => a - b)).toEqual([200, 429]);
    // The command waits as it is told.
    const lines = Array.from({ length: 3 }, () => JSON.stringify(good)).join('\n');
    const waited = await hunt(['decide', '-', '--json', '--url', server.url], { input: lines });
    expect(waited.code, waited.stderr).toBe(0);
    expect(waited.stdout.trim().split('\n')).toHaveLength(3);
  });
});
