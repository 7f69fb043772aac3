/**
 * Commands on pipelines with models: the libraries' own scores, one complaint for one fault, and warnings wherever a
 * pipeline is read.
 */

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hunt, root, temporaryFolder } from '../e2e/server.ts';

const PROTO = `syntax = "proto3";
package t.v1;
import "google/protobuf/timestamp.proto";
message Ev { string id = 1; string k = 2; google.protobuf.Timestamp at = 3; optional double x = 4; string country = 5; optional double y = 6; }
`;
/** Scores by xgboost 3.2.0 and lightgbm 4.7.0 for the same rows. */
const EVENTS = [
  { id: 'de', x: 0, y: 0.2, country: 'de', scores: [0.7654980421066284, 0.5289837884463922, 1] },
  { id: 'at', x: 0, y: 0.5, country: 'at', scores: [0.1376323252916336, 0.25751152046137826, 1] },
  { id: 'ch', x: 0, y: -2, country: 'ch', scores: [0.1376323252916336, 0.25751152046137826, 1] },
];

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);

function pipeline(name: string, categories: string, inputs = '[event.x, event.country]'): string {
  const expected = EVENTS.map(
    ({ id, scores: [sx, sl, hinge] }) =>
      `      - { at: ${id}, features: { model.sx: ${sx}, model.sl: ${sl}, model.hinge: ${hinge} } }\n`,
  );
  const text = `format: 1
pipeline: c
events: { proto: m.proto, message: t.v1.Ev, id: id, time: at, accept: { max_age: 3650d, max_future: 1d } }
entities: { k: { key: event.k, primary: true, max: 10k, ttl: 30d } }
features: { k: { n: { agg: count } } }
models:
  sx: { file: country.xgboost, format: xgboost, inputs: ${inputs}${categories} }
  sl: { file: country.lightgbm, format: lightgbm, inputs: ${inputs}${categories} }
  hinge: { file: hinge.xgboost, format: xgboost, inputs: [event.x, event.y] }
decisions: { dd: { actions: [y, n], rules: [{ id: r, when: 'model.sx > 0.5', then: y }], default: n } }
tests:
  - name: the scores are the libraries' own
    events: events.ndjson
    expect:
${expected.join('')}`;
  writeFileSync(at(name), text);
  return at(name);
}

beforeAll(() => {
  for (const file of ['country.xgboost', 'country.lightgbm', 'hinge.xgboost'])
    copyFileSync(join(root, 'test', 'model', 'golden', file), at(file));
  writeFileSync(at('m.proto'), PROTO);
  const lines = EVENTS.map(({ id, x, y, country }) =>
    JSON.stringify({ id, x, y, country, k: 'a', at: '2026-11-01T00:00:00Z' }),
  );
  writeFileSync(at('events.ndjson'), `${lines.join('\n')}\n`);
});
afterAll(() => folder.remove());

test('with the categories of the file, or the same in the pipeline, scores are the libraries’', async () => {
  for (const categories of ['', ', categories: { event.country: [at, ch, de] }']) {
    const { code, stdout, stderr } = await hunt(['test', pipeline('right.yaml', categories)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ok .*3 events/);
  }
});

test('with another order, both are named, and nothing else is complained of', async () => {
  const { code, stderr } = await hunt([
    'check',
    pipeline('wrong.yaml', ', categories: { event.country: [de, at, ch] }'),
  ]);
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/wrong\.yaml:7:\d+ .* here \[de, at, ch\], in country\.xgboost \[at, ch, de\]/),
    expect.stringMatching(/wrong\.yaml:8:\d+ .* here \[de, at, ch\], in country\.lightgbm \[at, ch, de\]/),
    '2 problems',
  ]);
});

test.each(['check', 'test', 'plan'])('hunt %s tells what is odd', async (command) => {
  const odd = pipeline('odd.yaml', ', categories: { event.k: [a] }', '[event.k, event.country]');
  const { stdout, stderr } = await hunt([command, odd]);
  expect(stdout + stderr).toMatch(
    /warning: model sx: country\.xgboost: event\.k has categories, and the model compares/,
  );
  expect(stdout + stderr).toMatch(
    /warning: model sl: country\.lightgbm: feature 0 is called x in the model and event\.k/,
  );
});
