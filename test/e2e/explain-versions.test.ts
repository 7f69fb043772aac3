/**
 * Explanations while the pipeline changes: each event by the rules of the version that decided it, shadows and switched-off
 * rules included, dry runs by the version that decides now, and all of it after a restart, too.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ExplainedDecision, Explanation, StoredExplanation } from '../../src/contract/explanation.ts';
import { askPatiently, hunt, root, startServer, temporaryFolder, type Server } from './server.ts';

const folder = temporaryFolder();
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

const RULE = "- { id: digger, when: 'player.digs_1m > 40', then: challenge }";

function pipeline(name: string, rule: string, derived = ''): string {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  expect(text).toContain(RULE);
  mkdirSync(folder.path, { recursive: true });
  const file = join(folder.path, `${name}.yaml`);
  const whole = text.slice(0, text.indexOf('\ntests:')).replace(RULE, rule);
  writeFileSync(file, whole.replace('\ndecisions:\n', `\n${derived}decisions:\n`));
  return file;
}

async function start(file: string): Promise<Server> {
  const server = await startServer({
    data: join(folder.path, 'data'),
    pipeline: file,
    options: ['--batch-age', '100'],
  });
  servers.add(server);
  return server;
}

async function post<Body>(server: Server, path: string, body: object): Promise<Body> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const { status, text } = await askPatiently(`${server.url}${path}`, init);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Body;
}

const dig = (id: string): object => ({
  event_id: id,
  player_id: '7',
  hunt_id: '1',
  event_time: new Date().toISOString(),
  dig: { depth: 0.5, tool: 'SPADE' },
});

function decisionOf({ decisions }: Explanation, name: string): ExplainedDecision {
  return decisions.find(({ decision }) => decision === name)!;
}

async function run(server: Server, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await hunt([...args, '--url', server.url]);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

test('by the version that decided', async () => {
  const first = pipeline('first', "- { id: digger, when: 'player.digs_1m > 1', then: challenge }");
  const second = pipeline(
    'second',
    "- { id: digger, when: 'derived.digs > 2 * 50', then: challenge }",
    'derived:\n  digs: "player.digs_1m * 100"\n',
  );
  let server = await start(first);
  await post(server, '/v1/events', dig('a1'));
  await post(server, '/v1/events', dig('a2'));
  const explain = (id: string): Promise<StoredExplanation> => server.get(`/v1/decisions/${id}`);
  const a2 = await explain('a2');
  expect(decisionOf(a2, 'trust')).toMatchObject({ action: 'challenge', rule: 'digger' });

  await run(server, 'deploy', second);
  const b = dig('b1');
  const asked = await post<Explanation>(server, '/v1/decide', b);
  expect(asked.derived).toEqual([{ name: 'derived.digs', text: 'player.digs_1m * 100', value: 300 }]);
  await post(server, '/v1/events', b);
  const b1 = await explain('b1');
  expect(b1.pipeline.number).not.toBe(a2.pipeline.number);
  expect(b1.features).toEqual(asked.features);
  expect(decisionOf(b1, 'trust').rules[0]).toMatchObject({ when: 'derived.digs > 2 * 50', holds: true, decided: true });
  expect(await explain('a2')).toEqual(a2);

  await run(server, 'disable', 'digger');
  const c = dig('c1');
  const c1 = await post<Explanation>(server, '/v1/decide', c);
  expect(decisionOf(c1, 'trust').rules[0]).toMatchObject({ disabled: true, holds: false, decided: false });
  await post(server, '/v1/events', c);
  expect(decisionOf(await explain('c1'), 'trust')).toEqual(decisionOf(c1, 'trust'));
  expect(await run(server, 'explain', 'c1')).toMatch(/✗ digger +switched off\n/);

  await run(server, 'deploy', first, '--shadow');
  const d = dig('d1');
  const d1 = await post<Explanation>(server, '/v1/decide', d);
  expect(decisionOf(d1, 'shadow_trust')).toMatchObject({ isShadow: true, action: 'challenge', rule: 'digger' });
  await post(server, '/v1/events', d);
  const d2 = await explain('d1');
  expect(d2.decisions).toEqual(d1.decisions);
  expect(decisionOf(d2, 'trust').isShadow).toBeUndefined();

  await server.stop();
  servers.delete(server);
  server = await start(first);
  expect(await explain('a2')).toEqual(a2);
  expect(await explain('b1')).toEqual(b1);
  expect((await explain('d1')).decisions).toEqual(d1.decisions);
  await server.stop();
  servers.delete(server);
});
