/**
 * A real nginx in front, as in docs/behind-a-proxy.md: with its default upstream protocol (HTTP/1.0) and with HTTP/1.1,
 * events, control, WebSocket and ClickHouse; and pings that keep idle connections through it.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openStream, startRig, type Rig } from '../ingress/rig.ts';
import { TRANSPORTS } from '../doors.ts';
import { nginxMissing, startNginx, type Nginx } from './nginx.ts';
import { startServer, temporaryFolder, until, type Server } from './server.ts';

const missing = nginxMissing();
const skipped = missing !== '' && process.env['CI'] !== 'true';
if (skipped) console.log(`skipped: ${missing}`);

function event(id: number): string {
  const event_time = new Date().toISOString();
  return JSON.stringify({
    events: [{ event_id: `nginx-${id}`, player_id: 42, hunt_id: 7, event_time, dig: { depth: 0.4 } }],
  });
}

describe.skipIf(skipped).each(TRANSPORTS)('nginx in front of a server over %s', (transport) => {
  const folder = temporaryFolder();
  let server: Server;
  let nginx: Nginx;
  beforeAll(async () => {
    server = await startServer({ data: folder.path, options: ['--transport', transport] });
    nginx = await startNginx(`
      location /old/ { proxy_pass ${server.url}/; }
      location /old-sql/ { proxy_pass ${server.clickhouse}/; }
      location /sql/ { proxy_pass ${server.clickhouse}/; proxy_http_version 1.1; proxy_set_header Connection ""; }
      location / {
        proxy_pass ${server.url};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
      }
    `);
  });
  afterAll(async () => {
    await nginx.stop();
    await server.stop();
    folder.remove();
  });

  const post = async (path: string, body: string): Promise<{ status: number; text: string }> => {
    const headers = { 'content-type': 'application/json', 'x-hunt-ack': 'stored' };
    const response = await fetch(`${nginx.url}${path}`, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  };
  const stored = async (id: number): Promise<number> =>
    (await server.query<{ n: string }>(`SELECT count() AS n FROM events WHERE event_id = 'nginx-${id}'`)).map(({ n }) =>
      Number(n),
    )[0]!;

  test('over HTTP/1.1 events, control and SQL pass', async () => {
    expect((await fetch(`${nginx.url}/readyz`)).status).toBe(200);
    const answer = await post('/v1/events', event(1));
    expect(answer.status, answer.text).toBe(200);
    expect(await stored(1)).toBe(1);
    const sql = await fetch(`${nginx.url}/sql/?query=SELECT+number+FROM+numbers(100000)+FORMAT+CSV`);
    expect((await sql.text()).trim().split('\n')).toHaveLength(100_000);
  });

  test('over HTTP/1.0, nginx’s default: everything passes over node:http; uWebSockets.js says 505 and nothing is stored', async () => {
    const answer = await post('/old/v1/events', event(2));
    const sql = await fetch(`${nginx.url}/old-sql/?query=SELECT+number+FROM+numbers(100000)+FORMAT+CSV`);
    if (transport === 'uws') {
      expect([answer.status, sql.status]).toEqual([505, 505]);
      expect(await stored(2)).toBe(0);
    } else {
      expect([answer.status, sql.status]).toEqual([200, 200]);
      expect((await sql.text()).trim().split('\n')).toHaveLength(100_000);
      expect((await fetch(`${nginx.url}/old/readyz`)).status).toBe(200);
      expect(await stored(2)).toBe(1);
    }
  });

  test('a WebSocket passes, frame by frame', async () => {
    const socket = new WebSocket(`${nginx.url.replace('http', 'ws')}/v1/stream?producer=nginx`, ['hunt.v1.json']);
    const messages: { status?: string }[] = [];
    socket.on('message', (bytes: Buffer) => messages.push(JSON.parse(bytes.toString()) as object));
    await new Promise((done) => socket.once('open', done));
    for (let seq = 1; seq <= 20; seq++) socket.send(event(100 + seq).replace('{', `{"seq":"${seq}",`));
    await until(() => messages.length === 21, 'a hello and twenty answers');
    expect(new Set(messages.slice(1).map(({ status }) => status))).toEqual(new Set(['OK']));
    socket.close();
  });
});

describe.skipIf(skipped).each(TRANSPORTS)(
  'pings over %s, through an nginx that cuts what is silent for a second',
  (transport) => {
    const rigs: Rig[] = [];
    const proxies: Nginx[] = [];
    afterAll(async () => {
      for (const proxy of proxies) await proxy.stop();
      for (const rig of rigs) await rig.stop();
    });

    async function idleFor(ms: number, pingMs: number): Promise<'open' | 'closed'> {
      const rig = await startRig({ transport, limits: { pingMs } });
      const proxy = await startNginx(`location / {
      proxy_pass ${rig.ingress.url}; proxy_http_version 1.1; proxy_read_timeout 1s; proxy_send_timeout 60s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }`);
      rigs.push(rig);
      proxies.push(proxy);
      const stream = await openStream({ ...rig, ingress: { ...rig.ingress, url: proxy.url } });
      await stream.hello;
      return Promise.race([
        stream.closed.then(() => 'closed' as const),
        new Promise<'open'>((done) => setTimeout(() => done('open'), ms)),
      ]);
    }

    test('keep a connection that has nothing to say', async () => {
      expect(await idleFor(2500, 60_000)).toBe('closed');
      expect(await idleFor(2500, 250)).toBe('open');
    });
  },
);
