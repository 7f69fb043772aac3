/**
 * Names that every object inherits, wherever a stranger's text is looked up: content types, subprotocols, paths, parameters,
 * keys of events, names of producers, rules, lists and entities, columns of files, settings, formats, options.
 * `Content-Type: constructor` ended the server twice. Each attack stands beside a neighbour that must work; at the end the
 * server is what it was.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPipelineFile, PipelineError } from '../../src/config/index.ts';
import { KEY_HEADERS, isKeyed } from '../doors.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { ask, type Answered } from './ask.ts';

const INHERITED = Object.getOwnPropertyNames(Object.prototype);

const PROTO = `syntax = "proto3";
package odd;
enum valueOf { toLocaleString = 0; propertyIsEnumerable = 1; }
message Event {
  string event_id = 1;
  string constructor = 2;
  int64 event_time = 3;
  optional double toString = 4;
  map<string, string> attributes = 5;
  optional valueOf hasOwnProperty = 6;
  string isPrototypeOf = 7;
}
`;
const PIPELINE = `format: 1
pipeline: constructor
events:
  proto: odd.proto
  message: odd.Event
  id: event_id
  time: event_time
  fields: { isPrototypeOf: { dictionary: true } }
entities:
  constructor: { key: event.constructor, primary: true, max: 1k, ttl: 1d }
features:
  constructor:
    constructor: { agg: count, window: 1m }
    valueof: { agg: sum, of: event.toString, window: 1m, decimals: 2 }
derived:
  constructor: 'event.toString * 2.0'
lists:
  constructor: { file: list.txt, type: string, max: 100 }
experiments:
  constructor: { key: event.constructor, arms: { constructor: 50, prototype: 50 } }
decisions:
  decided:
    actions: [constructor, prototype]
    rules:
      - id: constructor
        when: "event.isPrototypeOf in list.constructor && constructor.constructor > 0 && derived.constructor > 2.0"
        then: constructor
    default: prototype
`;

const folder = temporaryFolder();
let server: Server;
let sent = 0;

function writePipeline(name: string, text: string): string {
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'odd.proto'), PROTO);
  writeFileSync(join(folder.path, 'list.txt'), '__proto__\nconstructor\n');
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

beforeAll(async () => {
  const pipeline = writePipeline('odd.yaml', PIPELINE);
  server = await startServer({ data: join(folder.path, 'data'), pipeline, options: ['--batch-age', '100'] });
}, 120_000);

afterAll(async () => {
  await server?.kill();
  folder.remove();
});

const JSON_TYPE = { 'content-type': 'application/json' };
const post = (path: string, body: string, headers: Record<string, string> = JSON_TYPE): Promise<Answered> =>
  ask(server.url, { method: 'POST', path, headers: { ...KEY_HEADERS, ...headers }, body });
const get = (path: string, headers: Record<string, string> = {}): Promise<Answered> =>
  ask(server.url, { path, headers: { ...KEY_HEADERS, ...headers } });
const sql = (query: string, path = '/?database=hunt', headers: Record<string, string> = {}): Promise<Answered> =>
  ask(server.clickhouse, { method: 'POST', path, headers: { ...KEY_HEADERS, ...headers }, body: query });

/** The answer to one event, which must have been taken. */
async function send(event: string, headers: Record<string, string> = JSON_TYPE): Promise<void> {
  const answer = await post('/v1/events', `{"events":[${event}]}`, headers);
  expect(answer.status, answer.text).toBe(200);
  const told = JSON.parse(answer.text) as { rejections: unknown[] };
  expect(told.rejections).toEqual([]);
  sent++;
}

/** uWebSockets.js takes no header whose name has an underscore: it waits for the end of the head, and then hangs up. */
function header(name: string): Record<string, string> {
  return name.includes('_') ? {} : { [name]: 'x' };
}

function event(key: string, more = ''): string {
  const id = `e${sent}-${key}`;
  return `{"event_id":${JSON.stringify(id)},"constructor":${JSON.stringify(key)},"event_time":"${Date.now()}","isPrototypeOf":"constructor","toString":1.5${more}}`;
}

describe('the events’ port', () => {
  test.each(INHERITED)('a content type called %s', async (name) => {
    for (const path of ['/v1/events', '/v1/decide', '/v1/pipelines/rules', '/v1/pipelines', '/v1/lists/constructor'])
      expect(await post(path, '{}', { 'content-type': name }), path).toMatchObject({ status: 415 });
    await send(event('plain'));
  });

  test.each(INHERITED)('a subprotocol called %s', async (name) => {
    const open = (protocol: string): Promise<Answered> =>
      ask(server.url, {
        path: '/v1/stream',
        upgrade: true,
        headers: { ...KEY_HEADERS, 'sec-websocket-protocol': protocol },
      });
    expect(await open(name)).toMatchObject({ status: 400, code: 'unknown_subprotocol' });
    expect((await open(`${name}, hunt.v1.json`)).status).toBe(101);
  });

  test.each(INHERITED)('paths, parameters and headers called %s', async (name) => {
    expect(await get(`/v1/${name}`)).toMatchObject({ status: 404 });
    expect(await get(`/${name}/v1/server`)).toMatchObject({ status: 404 });
    expect(await get(`/v1/pipelines/${name}`)).toMatchObject({ status: 404 });
    if (name !== 'constructor')
      expect(await get(`/v1/entities/${name}/1`)).toMatchObject({ status: 404, code: 'unknown_entity' });
    expect(await get(`/v1/decisions/${name}`)).toMatchObject({ status: 404, code: 'unknown_event' });
    expect(await get(`/v1/entities/constructor/1?at=${name}`)).toMatchObject({ status: 400 });
    expect(await post(`/v1/events?ack=${name}`, '{}')).toMatchObject({ status: 400, code: 'unknown_ack' });
    expect(await post(`/v1/events?dedup=${name}`, '{}')).toMatchObject({ status: 400, code: 'bad_parameter' });
    await send(event('headers'), { ...JSON_TYPE, ...header(name), 'x-hunt-dedup': '1' });
    expect((await get(`/v1/entities/constructor/headers?${name}=1`)).status).toBe(400);
    expect((await get('/v1/entities/constructor/headers?at=now')).status).toBe(200);
  });

  test.each(INHERITED)('a rule and a list called %s', async (name) => {
    const rule = (body: object): Promise<Answered> => post('/v1/pipelines/rules', JSON.stringify(body));
    if (name !== 'constructor') {
      expect(await rule({ rule: name, disabled: true })).toMatchObject({ status: 404, code: 'no_such_rule' });
      const list = await post(`/v1/lists/${name}`, 'x\n', { 'content-type': 'text/csv' });
      expect(list).toMatchObject({ status: 404, code: 'no_such_list' });
    }
    expect(await rule({ rule: `decided.${name}`, disabled: 'yes' })).toMatchObject({ status: 400 });
    expect(await post('/v1/pipelines/rollback', JSON.stringify({ to: name }))).toMatchObject({ status: 404 });
    const extra = `{"rule":"constructor","disabled":true,"${name}":{"actor":"nobody"}}`;
    expect(await post('/v1/pipelines/rules', extra), extra).toMatchObject({ status: 400 });
    const list = await post('/v1/lists/constructor', `${INHERITED.join('\n')}\n`, { 'content-type': 'text/csv' });
    expect(list.status, list.text).toBe(200);
  });

  test.each(INHERITED)('keys, values and map keys called %s', async (name) => {
    const key = `as-${name}`;
    const map = `,"attributes":{"${name}":"mine","plain":"too"}`;
    await send(
      event(
        key,
        `,"${name === 'constructor' || name === 'toString' || name === 'hasOwnProperty' || name === 'isPrototypeOf' ? 'other' : name}":null${map}`,
      ),
    );
    await send(event(key, `,"unknown":{"${name}":{"constructor":"x"}}${map}`));
    await send(event(name, map));
    const odd = await post('/v1/events', `{"events":[${event(key)}],"${name}":{"events":[1,2,3]}}`);
    expect(odd.status, odd.text).toBe(200);
    sent++;
    const wrong = await post('/v1/events', `{"events":[${event(key, `,"hasOwnProperty":"${name}"`)}]}`);
    if (name === 'toLocaleString' || name === 'propertyIsEnumerable') sent++;
    else expect((JSON.parse(wrong.text) as { rejections: unknown[] }).rejections.length).toBe(1);
    const state = await get(`/v1/entities/constructor/${encodeURIComponent(key)}`);
    expect(JSON.parse(state.text)).toMatchObject({ features: { valueof: expect.any(Number) } });
  });

  test.each(INHERITED)('a producer called %s', async (name) => {
    const headers = { ...JSON_TYPE, 'x-hunt-producer': name, 'x-hunt-seq': '1' };
    await send(event('produced'), headers);
    const again = await post('/v1/events', `{"events":[${event('produced')}]}`, headers);
    expect(again.text).toContain('DUPLICATE');
    const ledger = JSON.parse((await get('/v1/ledger')).text) as {
      producers: { producer: string; accepted: number }[];
    };
    expect(ledger.producers.filter(({ producer }) => producer === name)).toMatchObject([{ accepted: 1 }]);
  });
});

test.runIf(isKeyed)('keys called so are none', async () => {
  for (const name of INHERITED) {
    const wrong = { ...JSON_TYPE, authorization: `Bearer ${name}` };
    expect(await post('/v1/events', `{"events":[${event('keyless')}]}`, wrong), name).toMatchObject({ status: 401 });
    expect(await get(`/v1/server?key=${name}`, { authorization: '' }), name).toMatchObject({ status: 401 });
    expect((await sql('SELECT 1', `/?password=${name}`, { authorization: '' })).status, name).toBe(403);
  }
  await send(event('keyed'));
});

describe('the ClickHouse port', () => {
  test.each(INHERITED)('settings, parameters, formats, databases, users and headers called %s', async (name) => {
    expect((await sql('SELECT 1', `/?${name}=1`)).status).toBe(404);
    expect((await sql(`SELECT 1 SETTINGS ${name} = 1`)).status).not.toBe(200);
    expect((await sql('SELECT 1', `/?default_format=${name}`)).text).toMatch(/UNKNOWN_FORMAT|format/i);
    expect((await sql(`SELECT 1 FORMAT ${name}`)).status).not.toBe(200);
    expect((await sql('SELECT * FROM events', `/?database=${name}`)).status).not.toBe(200);
    if (name !== 'toString') expect((await sql(`SELECT ${name}(1)`)).status).not.toBe(200);
    expect((await sql(`SELECT * FROM ${name}()`)).status).not.toBe(200);
    expect((await sql('SELECT 1', `/?user=${name}`)).status).toBe(403);
    const right = await sql('SELECT {' + name + ':String} AS `' + name + '`', `/?param_${name}=mine&query_id=${name}`, {
      ...header(name),
    });
    expect(right.text, right.text).toBe('mine\n');
  });
});

describe('files and commands', () => {
  const SECTIONS = ['entities', 'features', 'derived', 'lists', 'experiments', 'decisions'];

  test.each(INHERITED)('a pipeline with names called %s is refused with a place, or compiles', async (name) => {
    const isName = /^[a-z][a-z0-9_]*$/.test(name);
    for (const section of SECTIONS) {
      const text = PIPELINE.replace(
        `${section}:\n`,
        `${section}:\n  ${name === 'constructor' ? 'prototype_' : name}: {}\n`,
      );
      const problem = await loadPipelineFile(writePipeline('wrong.yaml', text)).then(
        () => null,
        (error: unknown) => error,
      );
      expect(problem, `${section} ${String(problem)}`).toBeInstanceOf(PipelineError);
      expect((problem as PipelineError).message).toMatch(/wrong\.yaml:\d+:\d+ /);
    }
    for (const [from, to] of [
      ['event.toString * 2.0', `event.${name} * 2.0`],
      ['list.constructor', `list.${name}x`],
      ['derived.constructor > 2.0', `derived.${name}x > 2.0`],
      ['derived.constructor > 2.0', `${name}(1.0) > 2.0`],
      ['agg: count', `agg: ${name}`],
      ['type: string', `type: ${name}`],
    ] as const) {
      const file = writePipeline('wrong.yaml', PIPELINE.replace(from, to));
      if (name === 'toString' && to.startsWith('event.')) continue;
      await expect(loadPipelineFile(file), to).rejects.toBeInstanceOf(PipelineError);
    }
    const renamed = isName ? PIPELINE.replaceAll(' prototype', ` ${name}_`) : PIPELINE;
    await expect(loadPipelineFile(writePipeline('right.yaml', renamed))).resolves.toBeDefined();
  });

  test('commands and options', async () => {
    for (const name of ['constructor', '__proto__', 'hasOwnProperty']) {
      const [command, option, equals] = await Promise.all([
        hunt([name]),
        hunt(['check', `--${name}`]),
        hunt(['check', `--${name}=1`]),
      ]);
      expect(command, name).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown command') });
      expect(option, name).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown option') });
      expect(equals, name).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown option') });
    }
    expect((await hunt(['check', join(folder.path, 'odd.yaml')])).code).toBe(0);
  });

  test('files whose columns and keys are called so', async () => {
    const csv = join(folder.path, 'events.csv');
    writeFileSync(
      csv,
      `event_id,constructor,event_time,isPrototypeOf\nc1,__proto__,${Date.now()},toString\nc2,valueOf,${Date.now()},__proto__\n`,
    );
    const right = await hunt(['send', csv, '--url', server.url, '--json']);
    expect(right.code, right.stderr).toBe(0);
    expect(JSON.parse(right.stdout)).toMatchObject({ accepted: 2, rejected: {} });
    sent += 2;
    const lines = join(folder.path, 'events.ndjson');
    writeFileSync(
      lines,
      `{"event_id":"n1","constructor":"__proto__","event_time":"${Date.now()}","attributes":{"__proto__":"kept"}}\n`,
    );
    const json = await hunt(['send', lines, '--url', server.url, '--json']);
    expect(json.code, json.stderr).toBe(0);
    sent += 1;
    const odd = join(folder.path, 'odd.csv');
    writeFileSync(odd, `event_id,${INHERITED.filter((name) => name.startsWith('__')).join()},constructor,event_time\n`);
    expect((await hunt(['send', odd, '--url', server.url])).stderr).not.toMatch(/TypeError|at .*\.js:/);
  });
});

test('afterwards: every event is stored once, and the server answers as before', async () => {
  const rows = (text: string): Promise<Record<string, unknown>[]> => server.query(text);
  await until(async () => Number((await rows('SELECT count() AS n FROM events'))[0]!['n']) === sent, `${sent} rows`);
  const named = await rows(
    "SELECT constructor, attributes FROM events WHERE attributes['plain'] = 'too' AND constructor IN ('__proto__', 'toString')",
  );
  expect(named).toEqual([
    expect.objectContaining({ constructor: expect.any(String) }),
    expect.objectContaining({ constructor: expect.any(String) }),
  ]);
  const [found] = await rows("SELECT count() AS n FROM events WHERE attributes['__proto__'] IN ('mine', 'kept')");
  expect(Number(found!['n'])).toBe(4);
  const [decided] = await rows(
    "SELECT uniqExact(decided_rule) AS rules, countIf(decided = 'constructor') > 0 AS hit FROM events",
  );
  expect(decided).toMatchObject({ rules: expect.anything(), hit: 1 });
  const explained = await hunt(['explain', 'n1', '--url', server.url, '--json']);
  expect(explained.code, explained.stderr).toBe(0);
  expect(explained.stdout).toContain('"__proto__":"kept"');
  const audit = await hunt(['audit', '--url', server.url]);
  expect(audit.code, audit.stdout).toBe(0);
  expect((await get('/readyz')).status).toBe(200);
  expect(server.log()).not.toMatch(/failed|broken|TypeError/);
});
