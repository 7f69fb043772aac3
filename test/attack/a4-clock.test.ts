/**
 * The wall clock of a running server is set, back and forward, by seconds and by hours, under load: answers go on, rows
 * become visible, received_at never falls, SIGTERM ends it in time, and the account holds. Each jump has a control, a clock
 * that is merely a little off.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patient } from '../patience.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { digJson, openStream, post, type AnswerBody, type Dig, type Stream } from '../e2e/wire-client.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
/** A frame takes some 20 ms; a loaded machine is given time, a clock that stands still for an hour is not. */
const ANSWER_MS_MAX = 10_000;
const VISIBLE_MS_MAX = 20_000;
const HOOK = new URL('../faults/clock-hook.mjs', import.meta.url).href;

const folder = temporaryFolder();
const data = join(folder.path, 'data');
const clockFile = join(folder.path, 'clock');
let server: Server;
let stream: Stream;
let streams = 0;
let seq = 0;
let sent = 0;

function setClock(offsetMs: number): void {
  const file = openSync(clockFile, 'w+');
  writeSync(file, String(offsetMs).padEnd(20), 0);
  closeSync(file);
}

/** In place: the server has the file open. */
function jump(offsetMs: number): void {
  const file = openSync(clockFile, 'r+');
  writeSync(file, String(offsetMs).padEnd(20), 0);
  closeSync(file);
}

async function start(): Promise<Server> {
  const { NODE_OPTIONS: options = '' } = process.env;
  process.env['NODE_OPTIONS'] = `${options} --import=${HOOK}`;
  process.env['HUNT_CLOCK_FILE'] = clockFile;
  try {
    return await startServer({ data, options: ['--batch-age', '100', '--workers', '2', '--frames-per-second', '200'] });
  } finally {
    process.env['NODE_OPTIONS'] = options;
    delete process.env['HUNT_CLOCK_FILE'];
  }
}

async function connect(): Promise<void> {
  stream = await openStream(server.url, { protocol: 'hunt.v1.json', producer: `clock-${++streams}` });
  seq = 0;
}

const dig = (): Dig => ({ id: `c-${++sent}`, player: 1 + (sent % 5), at: Date.now() });

async function bounded<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)),
  );
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Frames one after another, the clock set before each. */
async function sendOver(offsets: readonly number[]): Promise<void> {
  for (const offset of offsets) {
    jump(offset);
    for (let frame = 0; frame < 3; frame++) {
      const answer = await bounded(stream.send(++seq, [dig(), dig()]), ANSWER_MS_MAX, `an answer at ${offset} ms`);
      expect(answer).toMatchObject({ status: 'OK', rejections: [] });
    }
  }
}

async function isVisible(): Promise<boolean> {
  const [{ n }] = (await server.query<{ n: number | string }>('SELECT count() AS n FROM events')) as [
    { n: number | string },
  ];
  return Number(n) === sent;
}

beforeAll(async () => {
  setClock(0);
  server = await start();
  await connect();
}, 90_000);
afterAll(async () => {
  await server.kill();
  folder.remove();
});

/** Offsets of the clock, one after another, each under way of frames. */
const JUMPS: readonly {
  readonly name: string;
  readonly jumps: readonly number[];
  readonly control: readonly number[];
}[] = [
  { name: 'back by two seconds', jumps: [-2 * SECOND], control: [-1] },
  { name: 'back by a minute', jumps: [-60 * SECOND], control: [-5] },
  { name: 'back by an hour', jumps: [-HOUR], control: [0] },
  { name: 'back by an hour, and right again', jumps: [-HOUR, 0], control: [3, 0] },
  { name: 'forward by an hour', jumps: [HOUR], control: [HOUR + 1] },
  { name: 'forward by an hour, and right again', jumps: [HOUR, 0], control: [5, 0] },
  { name: 'back by a day and a half, over midnight', jumps: [-1.5 * DAY], control: [-7] },
  {
    name: 'to and fro by half a minute, with every frame',
    jumps: [30, -30, 30, -30, 30, -30].map((s) => s * SECOND),
    control: [1, -1, 1, -1],
  },
  { name: 'a dead battery: 1970', jumps: [-Date.now()], control: [-9] },
  { name: 'by fractions of a frame, always back', jumps: [0, -3, -6, -9, -12, -15, -18, -21], control: [0, 3, 6] },
  { name: 'forward by three days, over midnights', jumps: [3 * DAY, 0], control: [11] },
  { name: 'back behind all of it', jumps: [-10 * DAY], control: [-10 * DAY + 2] },
];

describe('under way', () => {
  test.each(JUMPS)(
    '$name',
    async ({ jumps, control }) => {
      for (const offsets of [control, jumps]) {
        await sendOver(offsets);
        await until(isVisible, `all rows are visible at ${offsets.at(-1)} ms`, VISIBLE_MS_MAX);
      }
    },
    60_000,
  );

  test('the server has seen these clocks: received_at followed the one that was ahead, and ran on', async () => {
    const [{ newest }] = (await server.query<{ newest: number | string }>(
      'SELECT toUnixTimestamp64Milli(max(received_at)) AS newest FROM events',
    )) as [{ newest: number | string }];
    expect(Number(newest)).toBeGreaterThan(Date.now() + 2 * DAY);
  });

  test('a bound of frames a second refuses for parts of a second, not for an hour', async () => {
    const other = await openStream(server.url, { protocol: 'hunt.v1.json', producer: 'hasty' });
    for (const [round, offset] of [0, -HOUR].entries()) {
      jump(offset);
      let taken = 0;
      const begun = performance.now();
      const answerMsMax = patient(ANSWER_MS_MAX);
      while (taken < 250) {
        const { status } = await other.send(round * 1000 + taken + 1, []);
        if (status === 'OK' || status === 'DUPLICATE') taken++;
        else await new Promise((done) => setTimeout(done, 5));
        expect(performance.now() - begun).toBeLessThan(answerMsMax);
      }
    }
    await other.close();
  }, 60_000);

  test('an event id is known again after the clock was set back', async () => {
    jump(0);
    const once = JSON.stringify({ events: [digJson({ ...dig(), id: 'only-once' })] });
    const codes = async (): Promise<string[]> =>
      (
        JSON.parse((await post(server.url, once, { type: 'application/json' })).bytes.toString()) as AnswerBody
      ).rejections.map(({ code }) => code);
    expect(await codes()).toEqual([]);
    jump(-HOUR);
    expect(await codes()).toEqual(['duplicate']);
  });

  test('features of this moment are asked for while the clock is behind the last event', async () => {
    jump(-HOUR);
    const now = await server.get<{ features: Record<string, number | null> }>('/v1/entities/player/1?at=now');
    const asOf = await server.get<{ features: Record<string, number | null> }>('/v1/entities/player/1');
    expect(now.features['digs_5m']).toBeLessThanOrEqual(asOf.features['digs_5m']!);
  });

  test('a load runs through jumps of an hour, and nothing is lost or doubled', async () => {
    let jumps = 0;
    const timer = setInterval(() => jump([HOUR, 0, -HOUR, 0][jumps++ % 4]!), 400);
    const load = await hunt(['load', '--url', server.url, '--duration', '6s', '--rate', '2000', '--json']);
    clearInterval(timer);
    jump(0);
    expect(load.code, load.stdout + load.stderr).toBe(0);
    expect(jumps).toBeGreaterThan(10);
    expect(JSON.parse(load.stdout)).toMatchObject({ lost: 0, duplicated: 0, unanswered: 0 });
  }, 90_000);
});

/** All rows, those of before the end among them. */
async function expectSound(): Promise<void> {
  const audit = await hunt(['audit', '--url', server.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  const verify = await hunt(['verify', '--no-skew', '--url', server.url]);
  expect(verify.code, verify.stdout + verify.stderr).toBe(0);
  // In the order in which rows became durable.
  const [{ falls }] = (await server.query<{ falls: number | string }>(
    `SELECT countIf(received_at < before) AS falls FROM (
       SELECT received_at, lagInFrame(received_at, 1, received_at) OVER (ORDER BY _batch, _row ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before FROM events)`,
  )) as [{ falls: number | string }];
  expect(Number(falls)).toBe(0);
}

describe('and over an end', () => {
  test.each([
    { name: 'right', offset: 0 },
    { name: 'back by an hour', offset: -HOUR },
  ])(
    'with the clock $name: SIGTERM ends it in time, and it starts and goes on',
    async ({ offset }) => {
      jump(0);
      await sendOver([0]);
      jump(offset);
      await sendOver([offset]);
      await stream.close();
      const begun = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - begun).toBeLessThan(20_000);
      server = await start();
      await connect();
      await sendOver([offset, offset - SECOND]);
      await expectSound();
    },
    120_000,
  );
});
