/**
 * What strangers can use up of the names that all share: producers, and values of dictionary fields. Each attack stands
 * beside a neighbour that must work, on one server with small bounds; at the end its account is proved, also after it has
 * been killed.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_HEADERS, isKeyed } from '../doors.ts';
import { hunt, root, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';

const PRODUCERS_MAX = 40;
const DICTIONARY_MAX = 400;
/** What one producer may add of the dictionary: row 0 of it is the empty text. */
const SHARE = Math.ceil((DICTIONARY_MAX + 1) / 4);
/** Long enough for what must still be known, on a busy machine. */
const FORGET_MS = 15_000;
const HUNDRED = Array.from({ length: 150 }, (_, i) => i);

const folder = temporaryFolder();
let server: Server;
let ids = 0;

interface Answer {
  readonly status: string;
  readonly codes: readonly string[];
  readonly text: string;
}

function event(fields: object = {}): object {
  return { id: `a7-${ids++}`, player: 1, hunt: 1, at: Date.now(), ...fields };
}

/** `producer` null: none is named. */
async function send(producer: string | null, seq: number, ...events: object[]): Promise<Answer> {
  const named = producer === null ? {} : { 'x-hunt-producer': producer, 'x-hunt-seq': String(seq) };
  const response = await fetch(`${server.url}/v1/events`, {
    method: 'POST',
    headers: { ...KEY_HEADERS, 'content-type': 'application/json', ...named },
    body: JSON.stringify({ events }),
  });
  const text = await response.text();
  const codes = [...text.matchAll(/"code":"([a-z_0-9]+)"/g)].map((match) => match[1]!);
  return { status: /"status":"([A-Z]+)"/.exec(text)?.[1] ?? String(response.status), codes, text };
}

async function expectTaken(answer: Promise<Answer>): Promise<void> {
  expect(await answer).toMatchObject({ status: 'OK', codes: [] });
}

async function start(): Promise<void> {
  const folderOfCopy = join(folder.path, 'pipeline');
  server = await startServer({
    data: join(folder.path, 'data'),
    pipeline: join(folderOfCopy, 'power-cut.yaml'),
    options: ['--batch-age', '50', '--log-format', 'json'],
  });
}

beforeAll(async () => {
  mkdirSync(join(folder.path, 'pipeline'));
  const from = join(root, 'test', 'faults');
  const bounds = `  dictionary_max: ${DICTIONARY_MAX}\n  producers: { max: ${PRODUCERS_MAX}, forget_after: ${FORGET_MS}ms }\n`;
  const yaml = readFileSync(join(from, 'power-cut.yaml'), 'utf8').replace('entities:\n', `${bounds}entities:\n`);
  writeFileSync(join(folder.path, 'pipeline', 'power-cut.yaml'), yaml);
  writeFileSync(join(folder.path, 'pipeline', 'power-cut.proto'), readFileSync(join(from, 'power-cut.proto')));
  await start();
}, 120_000);

afterAll(async () => {
  await server?.stop();
  folder.remove();
}, 120_000);

describe('values of dictionary fields', () => {
  test('one producer brings more than its quarter: the rest of it is refused, others still bring new ones', async () => {
    const greedy = await send('greedy', 1, ...HUNDRED.map((i) => event({ place: `greedy ${i}` })));
    expect(greedy.codes).toEqual(Array.from({ length: HUNDRED.length - SHARE }, () => 'dictionary_full'));
    await expectTaken(send('modest', 1, event({ place: 'modest' })));
    await expectTaken(send('greedy', 2, event({ place: 'greedy 0' })));
  });

  test('frames that name nobody are one producer', async () => {
    const nameless = await send(null, 0, ...HUNDRED.map((i) => event({ place: `nameless ${i}` })));
    expect(nameless.codes.filter((code) => code === 'dictionary_full')).toHaveLength(HUNDRED.length - SHARE);
    await expectTaken(send('modest', 2, event({ place: 'modest too' })));
    await expectTaken(send(null, 0, event({ place: 'modest' })));
  });

  test('values of refused events count against who sent them', async () => {
    const careless = await send('careless', 1, ...HUNDRED.map((i) => ({ place: `careless ${i}`, at: Date.now() })));
    expect(careless.codes).toHaveLength(HUNDRED.length);
    const after = await send('careless', 2, event({ place: 'careless, but right' }));
    expect(after.codes).toEqual(['dictionary_full']);
    await expectTaken(send('modest', 3, event({ place: 'modest again' })));
  });

  test('a few long values cannot use up the bytes', async () => {
    const long = await send('long', 1, ...[1, 2, 3, 4, 5, 6].map((i) => event({ place: String(i).repeat(60_000) })));
    expect(long.codes).toEqual(['dictionary_full', 'dictionary_full']);
    await expectTaken(send('modest', 4, event({ place: 'a place of some length, as they are' })));
  });

  test('what is used is told', async () => {
    const { bounds } = await server.get<{ bounds: Record<string, { used: number; max: number }> }>('/v1/server');
    expect(bounds['dictionary entries']!.max).toBe(DICTIONARY_MAX);
    expect(bounds['dictionary entries']!.used).toBeGreaterThan(2 * SHARE);
    expect(bounds['dictionary entries']!.used).toBeLessThan(DICTIONARY_MAX);
  });
});

describe('names of producers', () => {
  test.each([
    ['a byte too long', 'n'.repeat(201), 400],
    ['too long in UTF-8, not in letters', encodeURIComponent('ü'.repeat(101)), 400],
    ['empty', '', 200],
    ['what every object has', '__proto__', 200],
    ['what every object inherits', 'constructor', 200],
  ])('a name that is %s', async (_what, name, status) => {
    const response = await fetch(`${server.url}/v1/events?producer=${name}`, {
      method: 'POST',
      headers: { ...KEY_HEADERS, 'content-type': 'application/json', 'x-hunt-seq': '1' },
      body: JSON.stringify({ events: [event()] }),
    });
    await response.arrayBuffer();
    expect(response.status).toBe(status);
    await expectTaken(send(null, 0, event()));
  });

  test('two hundred names of 200 bytes by HTTP: known producers, nameless frames and new values go on', async () => {
    const before = await server.get<{ bounds: Record<string, { used: number }> }>('/v1/server');
    let refused = 0;
    for (let i = 0; i < 200; i++) {
      const { codes } = await send(`${'n'.repeat(197)}${String(i).padStart(3, '0')}`, 1, event());
      if (codes[0] === 'too_many_producers') refused++;
    }
    expect(refused).toBeGreaterThanOrEqual(200 - PRODUCERS_MAX);
    expect(refused).toBeLessThan(200);
    await expectTaken(send('modest', 5, event({ place: 'between names' })));
    await expectTaken(send(null, 0, event()));
    const after = await server.get<{ bounds: Record<string, { used: number; max: number }> }>('/v1/server');
    expect(after.bounds['producers']).toEqual({ used: PRODUCERS_MAX, max: PRODUCERS_MAX });
    expect(after.bounds['dictionary entries']!.used).toBe(before.bounds['dictionary entries']!.used + 1);
    await until(() => server.log().includes('a bound is met'), 'the log says so', 20_000);
  });

  test('a WebSocket under a new name: its frames are refused, a known name is served', async () => {
    const answers = async (producer: string, seq: number): Promise<string> => {
      const socket = new WebSocket(
        `${server.url.replace('http', 'ws')}/v1/stream?producer=${producer}`,
        'hunt.v1.json',
        { headers: KEY_HEADERS },
      );
      const messages: string[] = [];
      socket.on('message', (data: Buffer) => messages.push(data.toString()));
      await new Promise((open, fail) => socket.once('open', open).once('error', fail));
      socket.send(JSON.stringify({ seq: String(seq), events: [event()] }));
      await until(() => messages.length >= 2, 'hello and answer');
      socket.close();
      return messages[1]!;
    };
    expect(await answers('stranger-ws', 1)).toContain('too_many_producers');
    expect(await answers('modest', 6)).toContain('"status":"OK"');
  });

  test.runIf(isKeyed)('names and values of frames without the key are not looked at', async () => {
    interface Used {
      readonly bounds: Record<string, { used: number }>;
    }
    const before = await server.get<Used>('/v1/server');
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-hunt-producer': `keyless ${i}`, 'x-hunt-seq': '1' },
        body: JSON.stringify({ events: [event({ place: `keyless ${i}` })] }),
      });
      await response.arrayBuffer();
      expect(response.status).toBe(401);
    }
    await expectTaken(send('modest', 7, event({ place: 'between names' })));
    const after = await server.get<Used>('/v1/server');
    expect(after.bounds['producers']).toEqual(before.bounds['producers']);
    expect(after.bounds['dictionary entries']).toEqual(before.bounds['dictionary entries']);
  });

  test('after a kill the same are known, and no more', async () => {
    await server.kill();
    await start();
    expect((await send('modest', 5, event())).status).toBe('DUPLICATE');
    expect((await send('greedy', 3, event({ place: 'of nobody yet' }))).status).toBe('OK');
    const { bounds } = await server.get<{ bounds: Record<string, { used: number }> }>('/v1/server');
    expect(bounds['producers']!.used).toBe(PRODUCERS_MAX);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.stdout).toContain('balanced');
  }, 120_000);

  test('who is idle for the declared time is forgotten, and new names are taken again; who is not, is not', async () => {
    expect((await send('modest', 5, event())).status).toBe('DUPLICATE');
    let seq = 8;
    await until(
      async () => {
        // Modest goes on meanwhile.
        await send('modest', seq++, event());
        return (await send('new at last', 1, event())).codes.length === 0;
      },
      'a new name is taken',
      FORGET_MS * 4,
    );
    expect((await send('modest', seq - 1, event())).status).toBe('DUPLICATE');
    const isTaken = async (name: string): Promise<boolean> => (await send(name, 1, event())).codes.length === 0;
    for (let i = 0; i < 5; i++) await until(() => isTaken(`another ${i}`), 'and others are', FORGET_MS * 2);
  }, 120_000);
});

describe('the ledger', () => {
  test('is paged, and its pages are bounded', async () => {
    interface Page {
      readonly epoch: number;
      readonly total: { readonly accepted: number };
      readonly forgotten: { readonly accepted: number };
      readonly producersInAll: number;
      readonly producers: readonly { readonly producer: string; readonly accepted: number }[];
      readonly next: string | null;
    }
    for (const query of ['limit=0', 'limit=10001', 'limit=1e9', 'limit=-1', 'limit=', 'size=3', 'limit=3&limits=3']) {
      const refused = await fetch(`${server.url}/v1/ledger?${query}`, { headers: KEY_HEADERS });
      expect(refused.status, `${query}: ${await refused.text()}`).toBe(400);
    }
    // What the tests before have sent reaches the ledger in its own time: pages of one moment have one epoch.
    let pages: Page[];
    do {
      pages = [];
      for (let after = ''; pages.at(-1)?.next !== null; after = `&after=${encodeURIComponent(pages.at(-1)!.next!)}`)
        pages.push(await server.get<Page>(`/v1/ledger?limit=3${after}`));
    } while (pages[0]!.epoch !== pages.at(-1)!.epoch);
    const producers = pages.flatMap((page) => page.producers);
    const names = producers.map(({ producer }) => producer);
    const accepted = producers.reduce((sum, line) => sum + line.accepted, 0);
    const page = pages.at(-1)!;
    for (const one of pages) expect(one.producers.length).toBeLessThanOrEqual(3);
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(page.producersInAll);
    expect(accepted + page.forgotten.accepted).toBe(page.total.accepted);
  });

  test('the account is proved, forgotten producers and all', async () => {
    const audit = await hunt(['audit', '--url', server.url, '--json']);
    expect(JSON.parse(audit.stdout)).toMatchObject({ balanced: true, gaps: [] });
    expect(audit.code).toBe(0);
  }, 120_000);
});
