/** The whole way, by every door: frames in over WebSocket and HTTP, answers out, rows in ClickHouse, features to look up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HuntControl } from '../../src/client/index.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from './server.ts';
import {
  digJson,
  digProto,
  frameProto,
  openStream,
  post,
  readAnswer,
  type AnswerBody,
  type Dig,
} from './wire-client.ts';

const folder = temporaryFolder();
let server: Server;
beforeAll(async () => {
  server = await startServer({ data: folder.path, options: ['--batch-age', '100'] });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

interface EntityAnswer {
  readonly seq: number;
  readonly clock: number;
  readonly at: number;
  readonly features: Readonly<Record<string, number | null>>;
}

const now = Date.now();
const DECISIONS = [
  { name: 'assistance', actions: ['hint', 'continue'] },
  { name: 'trust', actions: ['allow', 'challenge'] },
];
const CALM = { assistance: 'continue', trust: 'allow' };

/** Digs of one player, a second apart. */
function digs(prefix: string, player: number, count: number, from = 0): Dig[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}-${from + i}`,
    player,
    at: now + (from + i) * 1000,
  }));
}

async function count(where: string): Promise<number> {
  const [row] = await server.query<{ n: number }>(`SELECT toUInt32(count()) AS n FROM events WHERE ${where}`);
  return row.n;
}

async function untilStored(where: string, rows: number): Promise<void> {
  await until(async () => (await count(where)) >= rows, `${rows} rows where ${where}`);
  expect(await count(where)).toBe(rows);
}

describe('WebSocket', () => {
  for (const protocol of ['hunt.v1.proto', 'hunt.v1.json'] as const) {
    const player = protocol === 'hunt.v1.proto' ? 101 : 102;

    test(`${protocol}: hello, answers in order, a repeated frame changes nothing and carries the same decisions`, async () => {
      const stream = await openStream(server.url, { protocol, producer: protocol });
      expect(stream.hello).toMatchObject({
        pipeline: 'treasure-hunt',
        decisions: DECISIONS,
        highestSeq: '0',
        frameBytesMax: 1 << 20,
      });
      const first = await stream.send(1, digs(protocol, player, 5));
      expect(first).toMatchObject({ seq: '1', status: 'OK', events: 5, rejections: [] });
      expect(first.decisions).toEqual(Array(5).fill(CALM));
      // 41 digs within a minute: more than a person can.
      const fast = Array.from({ length: 41 }, (_, i) => ({ id: `${protocol}-fast-${i}`, player, at: now + 5000 + i }));
      const second = await stream.send(2, fast);
      expect(second.decisions.at(-1)).toEqual({ assistance: 'continue', trust: 'challenge' });
      const again = await stream.send(2, fast);
      expect(again).toMatchObject({ seq: '2', status: 'DUPLICATE', events: 41 });
      expect(again.decisions).toEqual(second.decisions);
      await stream.close();
      const next = await openStream(server.url, { protocol, producer: protocol });
      expect(next.hello.highestSeq).toBe('2');
      await next.close();
      await untilStored(`player_id = ${player}`, 46);
    });
  }

  test('frames in flight are answered in the order in which they were sent', async () => {
    const stream = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: 'in-flight' });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => stream.send(i + 1, digs('flight', 103, 1, i))),
    );
    expect(answers.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, i) => String(i + 1)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['OK']));
    await stream.close();
  });

  test('what does not parse is refused whole and kept; the connection lives on', async () => {
    const stream = await openStream(server.url, { protocol: 'hunt.v1.proto', producer: 'broken' });
    const broken = await stream.sendRaw(new Uint8Array([9, 1, 0, 0, 0, 0, 0, 0, 0, 18, 200, 1]));
    expect(broken.status).toBe('REJECTED');
    expect(broken.rejections[0].code).toBe('frame_malformed');
    expect((await stream.send(1, digs('after-broken', 104, 1))).status).toBe('OK');
    await stream.close();
    await until(
      async () =>
        (await server.query(`SELECT 1 FROM dead_letters WHERE producer = 'broken' AND code = 'frame_malformed'`))
          .length === 1,
      'the frame among the dead letters',
    );
  });
});

describe('HTTP', () => {
  test('protobuf', async () => {
    const body = frameProto(1, digs('http-proto', 201, 3).map(digProto));
    const options = { type: 'application/x-protobuf', producer: 'http-proto' };
    const first = await post(server.url, body, options);
    expect(first.status).toBe(200);
    const answer = readAnswer(first.bytes, { decisions: DECISIONS });
    expect(answer).toMatchObject({ seq: '1', status: 'OK', events: 3, decisions: [CALM, CALM, CALM] });
    const again = readAnswer((await post(server.url, body, options)).bytes, { decisions: DECISIONS });
    expect(again).toMatchObject({ status: 'DUPLICATE', decisions: [CALM, CALM, CALM] });
    await untilStored('player_id = 201', 3);
  });

  test('JSON: a bad event is refused alone and kept as it came, its neighbours go on', async () => {
    const [good, other] = digs('http-json', 202, 2).map(digJson);
    const bad = digJson({ id: 'http-json-bad', player: 0, at: now });
    const { status, bytes } = await post(server.url, JSON.stringify({ events: [good, bad, other] }), {
      type: 'application/json',
    });
    const answer = JSON.parse(bytes.toString()) as AnswerBody;
    expect(status).toBe(200);
    expect(answer).toMatchObject({ status: 'OK', events: 3, decisions: [CALM, null, CALM] });
    expect(answer.rejections).toMatchObject([{ index: 1, code: 'no_key' }]);
    await untilStored('player_id = 202', 2);
    const find = (): Promise<{ bytes: string; reason: string }[]> =>
      server.query(`SELECT bytes, reason FROM dead_letters WHERE code = 'no_key'`);
    // A batch's dead letters go in after its events.
    await until(async () => (await find()).length > 0, 'the dead letter');
    const letters = await find();
    expect(letters).toHaveLength(1);
    expect(JSON.parse(letters[0].bytes)).toEqual(bad);
  });

  test('NDJSON, with the sequence number in a header', async () => {
    const body = digs('http-ndjson', 203, 4)
      .map((dig) => JSON.stringify(digJson(dig)))
      .join('\n');
    const options = { type: 'application/x-ndjson', producer: 'http-ndjson', seq: 1 };
    const first = JSON.parse((await post(server.url, body, options)).bytes.toString()) as AnswerBody;
    expect(first).toMatchObject({ seq: '1', status: 'OK', events: 4 });
    const again = JSON.parse((await post(server.url, body, options)).bytes.toString()) as AnswerBody;
    expect(again).toMatchObject({ seq: '1', status: 'DUPLICATE' });
    expect(again.decisions).toEqual(first.decisions);
    await untilStored('player_id = 203', 4);
  });

  test('without a producer the event id protects', async () => {
    const body = JSON.stringify({ events: digs('by-id', 204, 2).map(digJson) });
    const first = JSON.parse(
      (await post(server.url, body, { type: 'application/json' })).bytes.toString(),
    ) as AnswerBody;
    expect(first.rejections).toEqual([]);
    const again = JSON.parse(
      (await post(server.url, body, { type: 'application/json' })).bytes.toString(),
    ) as AnswerBody;
    expect(again.status).toBe('OK');
    expect(again.rejections.map(({ code }) => code)).toEqual(['duplicate', 'duplicate']);
    await untilStored('player_id = 204', 2);
  });

  test('ack=stored: once it is answered, it is there to query', async () => {
    for (let seq = 1; seq <= 3; seq++) {
      const body = JSON.stringify({ events: digs('stored', 205, 1, seq).map(digJson) });
      const { bytes } = await post(server.url, body, {
        type: 'application/json',
        producer: 'stored',
        seq,
        ack: 'stored',
      });
      expect((JSON.parse(bytes.toString()) as AnswerBody).status).toBe('OK');
      expect(await count('player_id = 205')).toBe(seq);
    }
  });

  test('wrong requests are told what to do', async () => {
    expect((await post(server.url, 'x', { type: 'text/plain' })).status).toBe(415);
    expect((await post(server.url, '{}', { type: 'application/json', ack: 'later' })).status).toBe(400);
    expect((await post(server.url, 'no json', { type: 'application/json' })).status).toBe(400);
    expect((await post(server.url, new Uint8Array((1 << 20) + 1), { type: 'application/x-protobuf' })).status).toBe(
      413,
    );
    expect((await fetch(`${server.url}/v1/nowhere`)).status).toBe(404);
  });
});

describe('asking', () => {
  test('health and readiness', async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test('features of an entity as they stand', async () => {
    const stream = await openStream(server.url, { protocol: 'hunt.v1.json', producer: 'features' });
    await stream.send(1, digs('features', 301, 12));
    await stream.close();
    const state = await server.get<EntityAnswer>('/v1/entities/player/301');
    expect(state.seq).toBe(12);
    expect(state.features).toMatchObject({
      digs_5m: 12,
      clues_5m: 0,
      depth_5m: 0.5,
      spent_1h: 0,
      quiet: expect.any(Number) as number,
    });
    // The digs were ten minutes ago, the entity's own clock still says five.
    const old = Date.now() - 600_000;
    const digging = await openStream(server.url, { protocol: 'hunt.v1.json', producer: 'features-old' });
    await digging.send(1, [{ id: 'features-old', player: 302, at: old }]);
    await digging.close();
    const then = await server.get<EntityAnswer>('/v1/entities/player/302');
    const today = await server.get<EntityAnswer>('/v1/entities/player/302?at=now');
    expect(then).toMatchObject({ at: old, clock: old, features: { digs_5m: 1, depth_5m: 0.5, quiet: 0 } });
    expect(today).toMatchObject({ clock: old, seq: 1, features: { digs_5m: 0, depth_5m: null } });
    expect(today.at).toBeGreaterThan(old + 599_000);
    expect(today.features.quiet).toBe(today.at - old);
    const control = new HuntControl({ url: server.url });
    expect(await control.entity('player', 302)).toEqual(then);
    expect((await control.entityNow('player', 302)).features).toMatchObject({ digs_5m: 0, depth_5m: null });
    expect((await fetch(`${server.url}/v1/entities/player/302?at=noon`)).status).toBe(400);
    expect((await fetch(`${server.url}/v1/entities/player/999999`)).status).toBe(404);
    expect((await fetch(`${server.url}/v1/entities/pirate/1`)).status).toBe(404);
    expect((await fetch(`${server.url}/v1/entities/player/nobody`)).status).toBe(400);
  });

  test('hunt sql', async () => {
    await untilStored('player_id = 301', 12);
    const result = await hunt([
      'sql',
      'SELECT max(player_digs_5m) AS most FROM events WHERE player_id = 301',
      '--url',
      server.url,
    ]);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/\b12\b/);
    // Every answer says how far it sees: at least to these digs, which it has counted.
    const answer = await fetch(server.clickhouse, { method: 'POST', body: 'SELECT watermark FROM hunt.watermark' });
    const watermark = Date.parse(answer.headers.get('x-hunt-watermark')!);
    expect(watermark).toBeGreaterThanOrEqual(now);
    expect(watermark).toBeLessThanOrEqual(Date.now());
    const wrong = await hunt(['sql', 'SELECT nothing FROM nowhere', '--url', server.url]);
    expect(wrong.code).toBe(1);
  });

  test('hunt audit proves from the tables that nothing is lost or doubled', async () => {
    const result = await hunt(['audit', '--url', server.url]);
    expect(result.stderr + result.stdout).not.toMatch(/gap|missing|doubled: [1-9]/);
    expect(result.code).toBe(0);
  });
});
