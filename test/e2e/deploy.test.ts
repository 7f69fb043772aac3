/**
 * A pipeline that changes while it runs, through the commands: an open connection goes on and is told new names, new
 * features have their history from the first row on, what is refused changes nothing, and the data folder remembers which
 * version decides.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HuntClient } from '../../src/client/index.ts';
import { hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

const folder = temporaryFolder();
const data = join(folder.path, 'data');
let server: Server;
let client: HuntClient;

const original = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8').replace(
  /\ntests:[\s\S]*$/,
  '\n',
);

/** The example pipeline with parts replaced. */
function pipeline(name: string, ...edits: readonly (readonly [from: string, to: string])[]): string {
  const text = edits.reduce((before, [from, to]) => {
    expect(before).toContain(from);
    return before.replaceAll(from, to);
  }, original);
  mkdirSync(folder.path, { recursive: true });
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

const first = pipeline('first');
const QUIET = '    quiet: { agg: time_since_last }';

beforeAll(async () => {
  server = await startServer({ data, pipeline: first, options: ['--batch-age', '100'] });
  client = await HuntClient.connect({ url: server.url, encoding: 'proto', producer: 'deploys' });
});

afterAll(async () => {
  await client?.close();
  await server?.kill();
  folder.remove();
});

const Event = new protobuf.Root()
  .loadSync(join(root, 'proto', 'game', 'v1', 'events.proto'), { keepCase: true })
  .lookupType('game.v1.GameEvent');
// In protobuf an answer has numbers for actions: it reads right only by the right hello.
const encode = (event: object): Uint8Array => Event.encode(Event.fromObject(event)).finish();

let events = 0;

/** Digs of one player; resolves with the answer to the last one. */
async function dig(count: number): Promise<Readonly<Record<string, string | null>>> {
  let answer: Readonly<Record<string, string | null>> | null = null;
  for (let i = 0; i < count; i++) {
    const event = {
      event_id: `d${events++}`,
      player_id: '7',
      hunt_id: '1',
      event_time: { seconds: Math.floor(Date.now() / 1000) },
    };
    const { decisions } = await client.send([encode({ ...event, dig: { depth: 0.5 + (events % 3), tool: 'SPADE' } })]);
    answer = decisions[0]!;
  }
  return answer!;
}

async function command(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await hunt([...args, '--url', server.url]);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

/** Everything so far is in SQL, and every feature is what its version's definition gives. */
async function expectVerified(): Promise<void> {
  const stored = async (): Promise<number> =>
    Number((await server.query<{ n: string }>('SELECT count() AS n FROM events'))[0]!.n);
  await until(async () => (await stored()) === events, 'all rows in ClickHouse');
  const { code, stdout, stderr } = await hunt(['verify', '--url', server.url, '--no-skew']);
  expect(code, stdout + stderr).toBe(0);
}

interface Pipelines {
  readonly running: { readonly version: string; readonly shadow: string | null };
  readonly activations: readonly { readonly kind: string; readonly reason: string }[];
}

test('new features come with their history; the connection stays', async () => {
  await dig(30);
  const more = pipeline(
    'more',
    [
      QUIET,
      `${QUIET}\n    digs_ever: { agg: count, where: "event.type == 'dig'" }\n    spread: { agg: stddev_pop, of: event.dig.depth, window: 5m }`,
    ],
    ["when: 'player.digs_1m > 40'", "when: 'player.digs_ever > 31'"],
  );
  expect(await dig(1)).toMatchObject({ trust: 'allow' });
  const out = await command('deploy', more, '--reason', 'count for life', '--actor', 'ada');
  expect(out).toMatch(/^version [0-9a-f]{16} decides from epoch \d+ on, after [0-9a-f]{16}; events waited [\d.]+ ms/);
  // The 32nd dig of a life: the new feature knows of the 31 before it.
  expect(await dig(1)).toMatchObject({ trust: 'challenge' });
  const { features } = await server.get<{ features: Record<string, number> }>('/v1/entities/player/7');
  expect(features['digs_ever']).toBe(32);
  await expectVerified();
  const records = (): Promise<{ actor: string; reason: string; kind: string; diff: string }[]> =>
    server.query('SELECT actor, reason, kind, diff FROM pipelines ORDER BY activated_at DESC LIMIT 1');
  await until(async () => (await records())[0]?.kind === 'deploy', 'the change is recorded in ClickHouse');
  const [record] = await records();
  expect(record).toMatchObject({ actor: 'ada', reason: 'count for life', kind: 'deploy' });
  expect(record!.diff).toContain('digs_ever');
});

test('new names of decisions are told on the open connection before the first answer that uses them', async () => {
  const renamed = pipeline('renamed', ['actions: [allow, challenge]', 'actions: [challenge, hold, allow]']);
  expect(client.hello.decisions.find(({ name }) => name === 'trust')!.actions).toEqual(['allow', 'challenge']);
  await command('deploy', renamed);
  expect(await dig(1)).toMatchObject({ trust: 'allow' });
  expect(client.hello.decisions.find(({ name }) => name === 'trust')!.actions).toEqual(['challenge', 'hold', 'allow']);
  await command('rollback');
  expect(await dig(1)).toMatchObject({ trust: 'challenge' });
});

test('a rule is switched off and on again', async () => {
  await command('disable', 'trust.digger', '--reason', 'too many false alarms');
  expect(await dig(1)).toMatchObject({ trust: 'allow' });
  await command('enable', 'digger');
  expect(await dig(1)).toMatchObject({ trust: 'challenge' });
  const unknown = await hunt(['disable', 'nobody', '--url', server.url]);
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain('no_such_rule');
  expect(unknown.stderr).toContain('assistance.stuck');
});

test('a shadow decides beside the live version and answers nobody', async () => {
  const shadow = pipeline(
    'shadow',
    ['digs_5m: {', 'digs_2m: { agg: count, window: 2m, hop: 10s }\n    digs_5m: {'],
    ["when: 'player.digs_1m > 40'", "when: 'player.digs_2m > 3'"],
  );
  await command('disable', 'digger');
  const planned = JSON.parse(await command('plan', shadow, '--json')) as { to: string; from: string };
  const begun = await command('deploy', shadow, '--shadow', '--wait');
  expect(begun).toContain(`shadow ${planned.to} decides beside version ${planned.from} from epoch`);
  expect((await server.get<Pipelines>('/v1/pipelines')).running).toMatchObject({
    version: planned.from,
    shadow: planned.to,
  });
  expect(Object.keys(await dig(3)).sort()).toEqual(['assistance', 'trust']);
  expect(await dig(1)).toMatchObject({ trust: 'allow' });
  await expectVerified();
  const diff = JSON.parse(await command('diff', '--json')) as {
    decisions: { decision: string; rows: number; different: number }[];
  };
  expect(diff.decisions.find(({ decision }) => decision === 'trust')).toMatchObject({ rows: 4, different: 4 });
  expect((await server.get<Pipelines>('/v1/pipelines')).running.shadow).toMatch(/^[0-9a-f]{16}$/);
  expect(await command('deploy', '--end-shadow')).toContain(`version ${planned.from} decides alone`);
  expect((await server.get<Pipelines>('/v1/pipelines')).running.shadow).toBeNull();
});

test('versions are listed with who, why and what differs; a rollback says what it changes, and lands on no disabled rule in silence', async () => {
  const changed = pipeline('hundred', ["when: 'player.digs_1m > 40'", "when: 'player.digs_1m > 100'"]);
  const { to } = JSON.parse(await command('plan', changed, '--json')) as { to: string };
  expect(await command('deploy', changed, '--reason', 'fewer alarms', '--actor', 'ada', '--wait')).toContain(to);
  const list = await command('versions');
  const newest = list.split('\n\n')[0]!;
  expect(newest).toContain(`${to}  decides now`);
  expect(newest).toContain('deploy by ada: fewer alarms');
  expect(newest).toMatch(/- trust\.digger: condition .* becomes player\.digs_1m > 100/);
  await command('disable', 'digger', '--wait');
  await command('enable', 'digger', '--wait');
  const { activations } = JSON.parse(await command('versions', '--json')) as {
    activations: { version: string; disabledRules: string[] }[];
  };
  const off = activations.at(-2)!;
  expect(off.disabledRules).toEqual(['trust.digger']);
  const refused = await hunt(['rollback', '--url', server.url]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('rule trust.digger decides now, and is switched off there');
  expect(refused.stderr).toContain('rule_disabled_there');
  expect((await server.get<Pipelines>('/v1/pipelines')).running.version).toBe(to);
  expect(await command('rollback', '--preview')).toContain(`from version ${to} back to ${off.version}`);
  expect(await command('rollback', '--allow-disabled', '--wait')).toContain(`version ${off.version} decides`);
  await command('enable', 'digger', '--wait');
});

test('what is refused changes nothing', async () => {
  const before = await server.get<Pipelines>('/v1/pipelines');
  const otherKey = pipeline('other-key', ['hunt: { key: event.hunt_id,', 'hunt: { key: event.player_id,']);
  const broken = pipeline('broken', ["when: 'player.digs_1m > 40'", "when: 'player.dogs_1m > 40'"]);
  const refused = await hunt(['deploy', otherKey, '--url', server.url]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('change_refused');
  expect(refused.stderr).toMatch(/hunt.*key/);
  const invalid = await hunt(['deploy', broken, '--url', server.url]);
  expect(invalid.code).not.toBe(0);
  expect(invalid.stderr).toMatch(/broken\.yaml:\d+:\d+ .*dogs_1m/);
  expect(
    await command('deploy', pipeline('again', ["when: 'player.digs_1m > 40'", "when: 'player.digs_1m > 41'"])),
  ).toContain('decides');
  const [one, two] = await Promise.all([
    hunt(['deploy', first, '--url', server.url]),
    hunt(['deploy', first, '--url', server.url]),
  ]);
  const codes = [one.code, two.code].toSorted((a, b) => Number(a) - Number(b));
  expect(codes[0]).toBe(0);
  const { activations } = await server.get<Pipelines>('/v1/pipelines');
  expect(activations.length).toBe(before.activations.length + 2);
});

test('the data folder remembers the version, and a start with another file changes to it', async () => {
  await command('deploy', join(folder.path, 'more.yaml'));
  const { running } = await server.get<Pipelines>('/v1/pipelines');
  await server.kill();
  const addresses = { listen: new URL(server.url).host, clickhouseListen: new URL(server.clickhouse).host };
  // The file of the first start is an older version: the folder goes on with the newer one.
  server = await startServer({ data, pipeline: first, options: ['--batch-age', '100'], ...addresses });
  expect((await server.get<Pipelines>('/v1/pipelines')).running.version).toBe(running.version);
  expect(await dig(1)).toMatchObject({ trust: 'challenge' });
  await server.stop();
  const fresh = pipeline('fresh', [QUIET, `${QUIET}\n    finds_ever: { agg: count, where: "event.type == 'find'" }`]);
  server = await startServer({ data, pipeline: fresh, options: ['--batch-age', '100'], ...addresses });
  const { running: now, activations } = await server.get<Pipelines>('/v1/pipelines');
  expect(now.version).not.toBe(running.version);
  expect(activations.at(-1)).toMatchObject({ kind: 'start' });
  await dig(1);
  await expectVerified();
  const kinds = await server.query<{ kind: string }>('SELECT kind FROM pipelines ORDER BY activated_at');
  expect(kinds.map(({ kind }) => kind)).toEqual(activations.map(({ kind }) => kind));
});
