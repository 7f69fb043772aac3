/**
 * Bounds that must hold, and say so when they are met: each attack on one of them stands beside a neighbour that must work.
 * One server with few descriptors, a small spool and small tables; what would end a server at the start runs beside it.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import WebSocket from 'ws';
import { describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX, FRAME_EVENTS_MAX } from '../../native-free-core/layout/limits.ts';
import { KEY_HEADERS, isKeyed } from '../doors.ts';
import { hunt, root, until } from '../e2e/server.ts';
import { isLong } from '../long.ts';
import { useBoundedServer, PLAYERS_MAX } from './bounded-server.ts';

/** From src/system/descriptors.ts, for the server's descriptors. */
const EVENT_CONNECTIONS = 144;
const CLICKHOUSE_CONNECTIONS = 64;
const LETTERS_OF_PRODUCER = 10_000;
const MIB = 2 ** 20;
/** What no transport and no key has a part in: through the usual door, and in the long form through every one. */
const behindTheDoor = describe.skipIf(isKeyed && !isLong);

const world = useBoundedServer();
const { event, facts, folder, ledger, nextId, post, readyz, send, sockets } = world;

describe('connections', () => {
  const flood = async (url: string, count: number): Promise<number> => {
    for (let i = 0; i < count; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
    await new Promise((done) => setTimeout(done, 1500));
    return sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
  };

  test('a thousand idle ones on the events’ port: few stay, and SQL is answered', async () => {
    const open = await flood(world.server.url, 1000);
    expect(open).toBeGreaterThan(EVENT_CONNECTIONS / 2);
    expect(open).toBeLessThanOrEqual(EVENT_CONNECTIONS);
    expect(await world.server.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await until(() => world.server.log().includes('"port":"events"'), 'the log says so');
  });

  test('a thousand idle ones on the ClickHouse port: few stay, and events are taken and stored', async () => {
    const open = await flood(world.server.clickhouse, 1000);
    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThanOrEqual(CLICKHOUSE_CONNECTIONS);
    expect(await send([event()])).toContain('"status":"OK"');
    await until(() => world.server.log().includes('"port":"clickhouse"'), 'the log says so');
  });

  test('four hundred WebSockets: those within the bound are greeted, and go again', async () => {
    const open: WebSocket[] = [];
    for (let i = 0; i < 400; i++) {
      const socket = new WebSocket(`${world.server.url.replace('http', 'ws')}/v1/stream`, 'hunt.v1.json', {
        headers: KEY_HEADERS,
      });
      socket.on('error', () => undefined);
      open.push(socket);
    }
    await new Promise((done) => setTimeout(done, 2000));
    const greeted = open.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    expect(greeted).toBeGreaterThan(EVENT_CONNECTIONS / 2);
    expect(greeted).toBeLessThanOrEqual(EVENT_CONNECTIONS);
    for (const socket of open) socket.terminate();
    await until(async () => (await fetch(`${world.server.url}/healthz`)).status === 200, 'others come in again');
  });
});

behindTheDoor('descriptors', () => {
  test.each([64, 128, 255])('with %i descriptors it does not start, and says so in one line', (limit) => {
    const command = `ulimit -n ${limit}; exec "$@"`;
    const run = (...args: string[]) =>
      spawnSync('bash', ['-c', command, 'bash', process.execPath, join(root, 'dist/src/main.js'), ...args], {
        encoding: 'utf8',
      });
    const refused = run('serve', '--data', join(folder.path, 'never'));
    expect(refused.status).toBe(1);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
    expect(refused.stderr).toContain(`limit=${limit}`);
    expect(run('--version').status).toBe(0);
  });
});

behindTheDoor('tables of entities', () => {
  test('three thousand players at once: the table holds what it declares, and the last are there', async () => {
    const players = Array.from({ length: 3000 }, (_, i) => event({ player: 10_000 + i }));
    expect(await send(players)).toContain('"status":"OK"');
    await send([event({ player: 77 })]);
    const { player } = (await facts()).bounds.entities;
    expect(player!.used).toBeLessThanOrEqual(PLAYERS_MAX);
    expect(player!.max).toBe(PLAYERS_MAX);
    expect(player!.evicted).toBeGreaterThanOrEqual(3000 - PLAYERS_MAX);
    expect((await fetch(`${world.server.url}/v1/entities/player/77`, { headers: KEY_HEADERS })).status).toBe(200);
    let found = 0;
    for (let i = 0; i < 3000; i += 10)
      if (
        (await fetch(`${world.server.url}/v1/entities/player/${10_000 + i}`, { headers: KEY_HEADERS })).status === 200
      )
        found++;
    expect(found).toBeLessThanOrEqual(PLAYERS_MAX);
  });

  test('one after another they stay within it, and who comes again keeps its state', async () => {
    for (let i = 0; i < 60; i++)
      await send([event({ player: 77 }), ...[1, 2, 3, 4].map((n) => event({ player: 20_000 + 4 * i + n }))]);
    expect((await facts()).bounds.entities['player']!.used).toBeLessThanOrEqual(PLAYERS_MAX);
    const { features } = await world.server.get<{ features: { n: number } }>('/v1/entities/player/77');
    expect(features.n).toBeGreaterThanOrEqual(60);
  });

  test('hunt plan says the number that holds', async () => {
    const { stdout } = await hunt(['plan', join(folder.path, 'pipeline', 'power-cut.yaml')]);
    expect(stdout).toMatch(new RegExp(`entity player: .*at most ${PLAYERS_MAX}\\b`));
  });
});

describe('dead letters', () => {
  const garbage = (count: number): object[] => Array.from({ length: count }, () => ({ player: 1 }));

  test('sixty thousand of one producer: as many are kept as it may have, all are counted, its neighbour’s one is kept', async () => {
    for (let seq = 1; seq <= 10; seq++)
      await send(garbage(6000), { 'x-hunt-producer': 'careless', 'x-hunt-seq': String(seq) });
    await send(garbage(1), { 'x-hunt-producer': 'careful', 'x-hunt-seq': '1' });
    await until(async () => (await ledger()).producers.some(({ producer }) => producer === 'careful'), 'it is counted');
    const { producers } = await ledger();
    const careless = producers.find(({ producer }) => producer === 'careless')!;
    expect(careless.deadLettered).toBe(60_000);
    expect(careless.deadLettersKept).toBeGreaterThanOrEqual(LETTERS_OF_PRODUCER);
    expect(careless.deadLettersKept).toBeLessThan(LETTERS_OF_PRODUCER + 2000);
    expect(careless.deadLettersKept + careless.deadLettersNotKept).toBe(60_000);
    expect(producers.find(({ producer }) => producer === 'careful')).toMatchObject({ deadLettersKept: 1 });
    await until(async () => {
      const [row] = await world.server.query<{ rows: number }>(
        "SELECT count() AS rows FROM dead_letters WHERE producer = 'careful'",
      );
      return Number(row!.rows) === 1;
    }, 'the neighbour’s letter is in the table');
  }, 60_000);

  test('whole frames of bytes that are none, from nobody: as many bytes are kept as one may have', async () => {
    const before = (await ledger()).total;
    const frame = Buffer.alloc(FRAME_BYTES_MAX - 100, 0xff);
    for (let i = 0; i < 24; i++) {
      const response = await post(frame, 'application/x-protobuf');
      await response.arrayBuffer();
    }
    await until(async () => (await ledger()).total.framesRejected === before.framesRejected + 24, 'all are counted');
    const { total } = await ledger();
    expect(total.deadLettersKept - before.deadLettersKept).toBeGreaterThan(8);
    expect(total.deadLettersKept - before.deadLettersKept).toBeLessThanOrEqual(17);
  }, 60_000);

  test.runIf(isKeyed)('what comes without the key is no letter, and counted for nobody', async () => {
    const before = (await ledger()).total;
    for (let i = 0; i < 50; i++) {
      const body = JSON.stringify({ events: garbage(100) });
      const response = await fetch(`${world.server.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      await response.arrayBuffer();
      expect(response.status).toBe(401);
    }
    await send(garbage(1), { 'x-hunt-producer': 'careful', 'x-hunt-seq': '2' });
    await until(async () => (await ledger()).total.deadLettered > before.deadLettered, 'the keyed one is counted');
    expect((await ledger()).total).toMatchObject({
      deadLettered: before.deadLettered + 1,
      framesRejected: before.framesRejected,
    });
  });

  test('the account stays exact', async () => {
    const audit = await hunt(['audit', '--url', world.server.url, '--json']);
    expect(JSON.parse(audit.stdout)).toMatchObject({ balanced: true, gaps: [] });
  }, 120_000);
});

describe('frames and requests', () => {
  test('a frame above its size is refused whole; one below it is taken', async () => {
    const large = await post(JSON.stringify({ events: [event({ place: 'x'.repeat(FRAME_BYTES_MAX) })] }));
    await large.arrayBuffer();
    expect(large.status).toBe(413);
    const padding = ' '.repeat(FRAME_BYTES_MAX - 2000);
    expect(await (await post(`${JSON.stringify({ events: [event()] })}${padding}`)).text()).toContain('"status":"OK"');
  });

  test('a frame of more events than one may hold is rejected; one of as many is taken', async () => {
    // In protobuf: an event of which nothing is right takes two bytes.
    const empty = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => [0x12, 0]).flat());
    const many = await post(empty(FRAME_EVENTS_MAX + 1), 'application/x-protobuf', { accept: 'application/json' });
    expect(many.status).toBe(400);
    await many.arrayBuffer();
    const most = await post(empty(FRAME_EVENTS_MAX), 'application/x-protobuf');
    expect(most.status).toBe(200);
    await most.arrayBuffer();
  });

  test('two thousand frames in flight on one connection: it is closed and told why; within the bound all are answered', async () => {
    const connection = async (producer: string) => {
      const socket = new WebSocket(
        `${world.server.url.replace('http', 'ws')}/v1/stream?producer=${producer}`,
        'hunt.v1.json',
        { headers: KEY_HEADERS },
      );
      const answers: string[] = [];
      let closed = '';
      socket.on('message', (data: Buffer) => answers.push(data.toString()));
      socket.on('close', (code, reason) => (closed = `${code} ${reason.toString()}`));
      await new Promise((open) => socket.once('open', open));
      await until(() => answers.length === 1, 'hello');
      const sendMany = (from: number, count: number): void => {
        for (let seq = from; seq < from + count; seq++)
          socket.send(JSON.stringify({ seq: String(seq), events: [event()] }));
      };
      return { socket, answers, sendMany, closed: () => closed };
    };
    const hasty = await connection('hasty');
    // Again and again: a server that keeps up may have answered the first ones.
    let sent = 0;
    await until(() => {
      if (hasty.closed() === '' && sent < 200_000) hasty.sendMany(sent + 1, 2000);
      sent += 2000;
      return hasty.closed() !== '';
    }, 'it is closed');
    // A client that still sends while it is told may find the connection broken off.
    expect(hasty.closed()).toMatch(/^(1008 too many frames in flight|1006)/);
    const orderly = await connection('orderly');
    orderly.sendMany(1, 256);
    await until(() => orderly.answers.length === 257, 'all are answered');
    expect(orderly.answers.filter((text) => text.includes('"status":"OK"'))).toHaveLength(256);
    orderly.socket.close();
  });

  test.each([
    ['/v1/lists/none', 33 * MIB, 'text/plain'],
    ['/v1/pipelines', 65 * MIB, 'application/json'],
    ['/v1/decide', 5 * MIB, 'application/json'],
  ])('a control body too large, POST %s: refused without being kept', async (path, bytes, type) => {
    const response = await fetch(`${world.server.url}${path}`, {
      method: 'POST',
      headers: { ...KEY_HEADERS, 'content-type': type },
      body: Buffer.alloc(bytes, 0x20),
    }).catch(() => null);
    if (response !== null) {
      await response.arrayBuffer();
      expect([404, 413, 415]).toContain(response.status);
    }
    expect((await fetch(`${world.server.url}/v1/server`, { headers: KEY_HEADERS })).status).toBe(200);
  });

  test('a hundred queries at once on the ClickHouse port: some wait, some are told to, none is lost; storing goes on', async () => {
    const before = await world.server.query<{ rows: string }>('SELECT count() AS rows FROM events');
    const queries = Array.from({ length: 50 }, () =>
      fetch(`${world.server.clickhouse}/?database=hunt`, {
        method: 'POST',
        headers: KEY_HEADERS,
        body: 'SELECT sleep(0.2)',
      }).then(
        async (response) => (await response.text(), response.status),
        () => 0,
      ),
    );
    await send([event()]);
    await until(async () => {
      // The engine's own queries stand behind nobody's.
      const { stored } = await world.server.get<{ stored: { events: number } }>('/v1/ledger');
      return stored.events > Number(before[0]!.rows);
    }, 'the event is stored meanwhile');
    const statuses = await Promise.all(queries);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(10);
    expect(statuses.every((status) => [200, 503, 0].includes(status))).toBe(true);
  }, 60_000);
});

behindTheDoor('the spool', () => {
  test.each([
    [['--spool-max', '0.25', '--spool-segment', '256'], 'at least two segments'],
    [['--spool-max', '0.1'], 'spool-max=0.1'],
    [['--spool-max', '1e9'], 'spool-max=1e9'],
    [['--spool-max', '-1'], 'spool-max'],
    [['--spool-max', '0.2505'], 'spool-max=0.2505'],
  ])(
    'sizes that cannot work end the start: %j',
    async (options, said) => {
      const data = join(folder.path, `refused-${options.join('')}`);
      const addresses = ['--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];
      const { code, stderr } = await hunt(['serve', '--data', data, ...addresses, ...options]);
      expect([1, 2]).toContain(code);
      expect(stderr).toContain(said);
    },
    60_000,
  );

  test('smaller than the snapshot’s distance: more goes through it than it holds', async () => {
    expect(world.server.log()).toContain('snapshots are taken earlier than asked for');
    const before = await facts();
    const text = 'x'.repeat(60_000);
    const goal = before.spool.bytes + 350 * MIB;
    for (let now = before; now.spool.bytes < goal; now = await facts()) {
      await Promise.all(
        Array.from({ length: 8 }, () => send(Array.from({ length: 16 }, () => event({ id: `${nextId()}${text}` })))),
      );
    }
    expect((await facts()).snapshots.taken).toBeGreaterThan(before.snapshots.taken);
  }, 180_000);
});

describe('readiness', () => {
  const child = async (): Promise<number> => (await facts()).clickhouse.pid;

  test('a ClickHouse that hangs: queries are named as failing, and answers go on', async () => {
    const pid = await child();
    process.kill(pid, 'SIGSTOP');
    try {
      await until(async () => (await readyz()).parts.includes('queries'), 'not ready', 30_000);
      expect(await send([event()])).toContain('"status":"OK"');
      expect((await fetch(`${world.server.url}/healthz`)).status).toBe(200);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(async () => (await readyz()).status === 200, 'ready again', 30_000);
    expect(world.server.log()).toContain('"part":"queries"');
  }, 90_000);

  test('a ClickHouse that dies: it is named, and comes back', async () => {
    process.kill(await child(), 'SIGKILL');
    let wasNamed = false;
    await until(
      async () => {
        const { status, parts } = await readyz();
        wasNamed ||= parts.includes('queries') || parts.includes('storing');
        return status === 200 && (await facts()).clickhouse.restarts === 1;
      },
      'it is back',
      60_000,
    );
    expect(wasNamed || world.server.log().includes('not ready')).toBe(true);
    expect(await world.server.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }, 90_000);

  test('the main thread stopped: the process is not ready, for whoever asks the ingress', () => {
    // All threads stop with the process; what stays is that nobody answers in time.
    process.kill(world.server.pid, 'SIGSTOP');
    try {
      const asked = spawnSync('curl', ['-s', '-m', '1', `${world.server.url}/readyz`], { encoding: 'utf8' });
      expect(asked.stdout).not.toContain('"ready":true');
    } finally {
      process.kill(world.server.pid, 'SIGCONT');
    }
    expect(execFileSync('curl', ['-s', '-m', '10', `${world.server.url}/healthz`], { encoding: 'utf8' })).toBe('ok\n');
  });
});
