/**
 * Every route of the events' port, as a stranger, a web page and a rebound name would ask for it, with keys and without:
 * what is not for them is refused before anything else looks at it, and the harmless neighbour of each request passes.
 * WebSocket too.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES, type Route } from '../../src/ingress/routes.ts';
import { root, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { ask, type Answered, type Ask } from './ask.ts';

const KEY = 'a-key-of-the-test';
const PAGE = 'https://game.example';
const folder = temporaryFolder();
let keyed: Server;
let open: Server;

beforeAll(async () => {
  mkdirSync(folder.path, { recursive: true });
  const keyFile = join(folder.path, 'keys');
  writeFileSync(keyFile, `# of the test\nanother-key\n${KEY}\n`, { mode: 0o600 });
  const example = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const lists = '\nlists:\n  vips: { file: vips.txt, type: string, max: 100 }\n';
  const pipeline = join(folder.path, 'game.yaml');
  writeFileSync(pipeline, example.replace(/\ntests:[\s\S]*$/, lists));
  writeFileSync(join(folder.path, 'vips.txt'), 'ann\n');
  const names = ['--allow-host', 'hunt.example', '--allow-host', 'hunt.example:8443', '--allow-origin', PAGE];
  [keyed, open] = await Promise.all([
    startServer({ data: join(folder.path, 'keyed'), pipeline, options: ['--key-file', keyFile, ...names] }),
    startServer({ data: join(folder.path, 'open'), pipeline, options: names }),
  ]);
}, 120_000);

afterAll(async () => {
  await Promise.all([keyed?.kill(), open?.kill()]);
  folder.remove();
});

/** A request that the route takes: what it means may still be refused by who answers it, as 400, 404 or 422. */
function rightful(route: Route): Ask {
  const path = route.path
    .replace('{entity}', 'player')
    .replace('{key}', '1')
    .replace('{event_id}', 'nobody')
    .replace('{list}', 'nothing');
  if (route.method === 'GET') return { path, upgrade: route.by === 'stream' };
  const body = route.by === 'events' ? '{"events":[]}' : '{}';
  const type = route.types.find((one) => one === 'application/json') ?? route.types[0];
  return { method: 'POST', path, body, headers: { 'content-type': type } };
}

function plus(request: Ask, headers: Readonly<Record<string, string>>): Ask {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** What stands at the door; all else has got in. */
const DOOR = [401, 405, 415, 421, 426];

function gotIn({ status, code }: Answered): boolean {
  const atDoor = DOOR.includes(status) || ['foreign_origin', 'out_of_scope', 'not_found'].includes(code);
  return !atDoor && (status < 500 || status === 503);
}

const routes = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
const port = (server: Server): string => new URL(server.url).port;

describe.each(['with keys', 'without keys'])('%s', (kind) => {
  const server = (): Server => (kind === 'with keys' ? keyed : open);
  const key = kind === 'with keys' ? { 'x-hunt-key': KEY } : {};
  const send = (request: Ask): Promise<Answered> => ask(server().url, request);

  test.each(routes)('%s: the route is served at all', async (_, route) => {
    const answer = await send(plus(rightful(route), key));
    expect(gotIn(answer), JSON.stringify(answer)).toBe(true);
    if (route.by === 'stream') expect(answer.status).toBe(101);
  });

  test.each(routes)('%s: keys', async (_, route) => {
    const request = rightful(route);
    const apart = request.path.includes('?') ? '&' : '?';
    const wrong: Ask[] = [
      request,
      plus(request, { 'x-hunt-key': 'wrong' }),
      plus(request, { 'x-hunt-key': '' }),
      plus(request, { 'x-hunt-key': KEY.toUpperCase() }),
      plus(request, { 'x-hunt-key': `${KEY} another-key` }),
      plus(request, { authorization: 'Bearer constructor' }),
      plus(request, { authorization: `Basic ${Buffer.from(`default:${KEY}`).toString('base64')}` }),
      plus(request, { cookie: `key=${KEY}` }),
      { ...request, path: `${request.path}${apart}key=__proto__` },
      { ...request, path: `${request.path}${apart}KEY=${KEY}` },
    ];
    for (const one of wrong) {
      const answer = await send(one);
      if (kind === 'without keys' || route.scope === 'open') expect(gotIn(answer), JSON.stringify(one)).toBe(true);
      else expect(answer, JSON.stringify(one)).toMatchObject({ status: 401, code: 'unauthorized' });
    }
    const right: Ask[] = [
      plus(request, { 'x-hunt-key': KEY }),
      plus(request, { authorization: 'bearer another-key' }),
      { ...request, path: `${request.path}${apart}key=${KEY}` },
    ];
    for (const one of right) expect(gotIn(await send(one)), JSON.stringify(one)).toBe(true);
  });

  test.each(routes)('%s: web pages', async (_, route) => {
    const request = plus(rightful(route), key);
    const foreign = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:3000' },
      { origin: `https://game.example.evil.example` },
      { origin: 'https://game.example:8443' },
      { origin: 'http://game.example' },
      { origin: `${PAGE}/` },
      { origin: `${PAGE}, http://evil.example` },
      { origin: `http://localhost:${port(server())}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const answer = await send(plus(request, headers as Record<string, string>));
      expect(answer, JSON.stringify(headers)).toMatchObject({ status: 403, code: 'foreign_origin' });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    const own = [
      { origin: PAGE },
      { origin: PAGE, 'sec-fetch-site': 'cross-site' },
      { origin: new URL(server().url).origin },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of own)
      expect(gotIn(await send(plus(request, headers as Record<string, string>))), JSON.stringify(headers)).toBe(true);
  });

  test.each(routes)('%s: names', async (_, route) => {
    const request = plus(rightful(route), key);
    const own = port(server());
    const foreign = [
      `evil.example:${own}`,
      'evil.example',
      `127.0.0.1.evil.example:${own}`,
      '127.0.0.1:1',
      '127.0.0.1',
      `127.0.0.2:${own}`,
      `0.0.0.0:${own}`,
      `[::ffff:7f00:1]:${own}`,
      `2130706433:${own}`,
      `127.0.0.1:${own}@evil.example`,
      `hunt.example.evil.example`,
      `__proto__:${own}`,
    ];
    for (const host of foreign)
      expect(await send(plus(request, { host })), host).toMatchObject({ status: 421, code: 'wrong_host' });
    for (const host of [`127.0.0.1:${own}`, `LOCALHOST:${own}`, `[::1]:${own}`, 'hunt.example', 'hunt.example:8443'])
      expect(gotIn(await send(plus(request, { host }))), host).toBe(true);
  });

  test.each(routes.filter(([, { method }]) => method === 'POST'))('%s: content types', async (_, route) => {
    const request = plus(rightful(route), key);
    const simple = [
      'text/plain',
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain; application/json',
      'application/jsonp',
      'constructor',
      '__proto__',
      'toString',
      'application/json-patch+json',
    ];
    for (const type of simple)
      expect(await send(plus(request, { 'content-type': type })), type).toMatchObject({
        status: 415,
        code: 'unknown_content_type',
      });
    const bare = { ...request, headers: key as Record<string, string> };
    expect(await send(bare)).toMatchObject({ status: 415 });
    for (const type of 'types' in route ? route.types : []) {
      const answer = await send(plus(request, { 'content-type': `${type.toUpperCase()}; charset=utf-8` }));
      expect(gotIn(answer), `${type} ${answer.text}`).toBe(true);
    }
  });

  test.each(routes)('%s: methods', async (_, route) => {
    const request = plus(rightful(route), key);
    const allowed = ROUTES.filter(({ path }) => path === route.path).map(({ method }) => method);
    for (const method of ['DELETE', 'PUT', 'PATCH', 'GET', 'POST'].filter((one) => !allowed.includes(one as 'GET'))) {
      const answer = await send({ ...request, method, upgrade: false });
      expect(answer, method).toMatchObject({ status: 405, code: 'method_not_allowed' });
      for (const one of allowed) expect(answer.headers['allow']).toContain(one);
    }
  });

  test('paths beside the routes are no routes', async () => {
    const beside = ['/v1', '/v1/events/', '/v1//events', '/v1/lists/', '/v1/constructor', '/__proto__', '/v1/entities'];
    const odd = ['/v1/pipelines/constructor', '/v1/pipelines/toString', '/v1/lists/a/b', '/V1/SERVER', '/v1/%73erver'];
    for (const path of [...beside, ...odd])
      expect(await send({ path, headers: key as Record<string, string> }), path).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    expect((await send({ path: '/v1/server', headers: key as Record<string, string> })).status).toBe(200);
  });
});

test('a web page cannot switch a rule off or change a list; who may can, and both stand in audit_log', async () => {
  const rule = (disabled: boolean): string =>
    JSON.stringify({ rule: 'digger', disabled, actor: 'ann', reason: 'test' });
  const key = { 'x-hunt-key': KEY };
  const json = { 'content-type': 'application/json' };
  const post = (path: string, headers: Record<string, string>, body: string): Promise<Answered> =>
    ask(keyed.url, { method: 'POST', path, headers, body });
  const rules = '/v1/pipelines/rules';
  const attacks = [
    await post(rules, { 'content-type': 'text/plain', origin: 'http://evil.example' }, rule(true)),
    await post(rules, { 'content-type': 'text/plain', ...key }, rule(true)),
    await post(rules, { ...json, origin: 'null', ...key }, rule(true)),
    await post(rules, { ...json, host: 'evil.example', ...key }, rule(true)),
    await post(rules, json, rule(true)),
    await post('/v1/lists/vips', { 'content-type': 'text/csv' }, 'bob\n'),
    await post('/v1/lists/vips', { 'content-type': 'text/plain', ...key }, 'bob\n'),
    await post('/v1/lists/vips', { 'content-type': 'text/csv', origin: 'http://evil.example', ...key }, 'bob\n'),
  ];
  expect(attacks.map(({ status }) => status)).toEqual([403, 415, 403, 421, 401, 401, 415, 403]);
  const running = async (): Promise<string> =>
    (
      JSON.parse((await ask(keyed.url, { path: '/v1/pipelines', headers: key })).text) as {
        running: { version: string };
      }
    ).running.version;
  const before = await running();
  expect(
    (await post('/v1/lists/vips?actor=ann&reason=more', { 'content-type': 'text/csv', ...key }, 'bob\n')).status,
  ).toBe(200);
  expect((await post(rules, { ...json, ...key }, rule(true))).status).toBe(202);
  expect((await post('/v1/pipelines/rollback', { ...json, ...key }, '{"to":"nowhere"}')).status).not.toBe(202);
  await until(async () => (await running()) !== before, 'the rule is off');
  const sql =
    "SELECT action, subject, actor, reason, outcome, remote FROM audit_log WHERE outcome = 'done' OR subject = 'nowhere' ORDER BY time";
  const log = (text: string): Promise<Answered> =>
    ask(keyed.clickhouse, {
      method: 'POST',
      path: '/?database=hunt&default_format=JSONCompactEachRow',
      headers: { 'x-clickhouse-key': KEY },
      body: text,
    });
  const lines = async (): Promise<unknown[]> =>
    (await log(sql)).text.split('\n').flatMap((line) => (line.startsWith('[') ? [JSON.parse(line) as unknown] : []));
  await until(async () => (await lines()).length === 3, 'three entries');
  expect(await lines()).toEqual([
    ['replace-list', 'vips', 'ann', 'more', 'done', '127.0.0.1'],
    ['disable', 'digger', 'ann', 'test', 'done', '127.0.0.1'],
    ['rollback', 'nowhere', '', '', 'refused', '127.0.0.1'],
  ]);
  const refused = await log("SELECT uniqExact(splitByChar(':', message)[1]) FROM audit_log WHERE outcome = 'refused'");
  expect(Number(JSON.parse(refused.text)[0])).toBeGreaterThan(1);
});
