/** `hunt test`: the example game's tests pass through the real core; wrong ones fail with a difference one can read. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hunt, root, temporaryFolder } from '../e2e/server.ts';
import { patient } from '../patience.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const pipelines = join(root, 'src', 'examples', 'treasure-hunt');
const example = readFileSync(join(pipelines, 'pipeline.yaml'), 'utf8');

/** The example game with other tests, or other events. */
function variant(name: string, change: (text: string) => string, events: Record<string, string> = {}): string {
  const place = join(folder.path, name);
  mkdirSync(place, { recursive: true });
  cpSync(join(pipelines, 'fixtures'), join(place, 'fixtures'), { recursive: true });
  for (const [file, text] of Object.entries(events)) writeFileSync(join(place, 'fixtures', file), text);
  const file = join(place, 'pipeline.yaml');
  const text = change(example);
  expect(text).not.toBe(example);
  writeFileSync(file, text);
  return file;
}

function withTests(yaml: string): (text: string) => string {
  return (text) => `${text.slice(0, text.indexOf('\ntests:'))}\ntests:\n${yaml}`;
}

test('the example game passes in under 2 s, without a server or ClickHouse', async () => {
  const begun = performance.now();
  const result = await hunt(['test']);
  const elapsedMs = performance.now() - begun;
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  expect(result.stdout).toContain('3 of 3 tests passed');
  // Half of it is for the neighbours on the same cores.
  expect(elapsedMs).toBeLessThan(patient(4000));
});

test('a wrong action, rule and feature are shown with what came instead and all features of the event', async () => {
  const file = variant('wrong', (text) =>
    text
      .replace(
        /assistance: hint, trust: allow \},(\s+)rule: stuck/,
        'assistance: continue, trust: allow },$1rule: cold_hunt',
      )
      .replace('player.digs_5m: 11, player.finds_5m: 0', 'player.digs_5m: 12, player.finds_5m: 0'),
  );
  const { code, stdout } = await hunt(['test', file]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL {2}the eleventh dig after three clues .*pipeline\.yaml:\d+\)/);
  expect(stdout).toMatch(/at s-d11 \(.*pipeline\.yaml:\d+\)/);
  expect(stdout).toMatch(/decision assistance +expected continue, got hint/);
  expect(stdout).toMatch(/rule +expected cold_hunt, got stuck/);
  expect(stdout).toMatch(/feature player\.digs_5m +expected 12, got 11/);
  expect(stdout).toMatch(/hunt\.best_find_1h +absent/);
  expect(stdout).toContain('2 of 3 tests passed');
});

test('an expectation whose event never comes fails, and says which events were refused', async () => {
  const file = variant(
    'never',
    withTests(`  - name: what never comes
    events: fixtures/refused.ndjson
    expect:
      - { at: r-2, decision: { trust: allow } }
`),
    {
      'refused.ndjson': [
        '{"event_id":"r-1","player_id":7,"hunt_id":1,"event_time":"2026-06-01T10:00:00Z","dig":{"depht":0.5}}',
        '{"event_id":"r-2","player_id":0,"hunt_id":1,"event_time":"2026-06-01T10:00:01Z","dig":{"depth":0.5}}',
        '{"event_id":"r-1","player_id":7,"hunt_id":1,"event_time":"2026-06-01T10:00:02Z","dig":{"depth":0.5}}',
        '{"event_id":"r-3","player_id":"no number"}',
        '{ this is no JSON',
        '',
      ].join('\n'),
    },
  );
  const { code, stdout } = await hunt(['test', file]);
  expect(code).toBe(1);
  expect(stdout).toContain('at r-2');
  expect(stdout).toContain('no event with this id was stored');
  expect(stdout).toMatch(/line 2 of the events, no_key:/);
  expect(stdout).toMatch(/line 3 of the events, duplicate:/);
  expect(stdout).toContain('line 4 of the events, wrong_type: player_id: expected uint64, got "no number"');
  expect(stdout).toContain('left out: line 1 of the events, no such field: dig.depht; did you mean dig.depth?');
  expect(stdout).toMatch(/line 5 of the events, \w+:/);
});

test('events of a test are mapped by the pipeline’s import, as those of a file that is sent', async () => {
  const file = variant(
    'import',
    (text) =>
      withTests(`  - name: mapped
    events: fixtures/mapped.ndjson
    expect:
      - { at: m-1, decision: { trust: allow }, features: { player.digs_1m: 1 } }
      - { at: m-2, decision: { trust: allow }, features: { player.digs_1m: 2 } }
`)(text).replace('\nevents:\n', '\nevents:\n  import: { player_id: who, event_time: when, dig.depth: deep }\n'),
    {
      'mapped.ndjson': [
        '{"event_id":"m-1","who":7,"hunt_id":1,"when":"2026-06-01 10:00:00","deep":0.5}',
        '{"event_id":"m-2","player_id":7,"hunt_id":1,"event_time":"2026-06-01T10:00:01Z","dig":{"depth":0.5}}',
        '{ this is no JSON',
      ].join('\n'),
    },
  );
  const { code, stdout } = await hunt(['test', file]);
  expect(stdout).toContain('1 of 1 test passed');
  expect(stdout).toMatch(/line 3 of the events, \w+:/);
  expect(code).toBe(0);
});

test('--json prints the same results for programs', async () => {
  const file = variant('json', (text) =>
    text.replace('trust: challenge }, rule: digger', 'trust: allow }, rule: digger'),
  );
  const { code, stdout } = await hunt(['test', file, '--json']);
  const report = JSON.parse(stdout) as {
    passed: number;
    failed: number;
    tests: { passed: boolean; failures: { at: string; mismatches: object[]; features: Record<string, number> }[] }[];
  };
  expect(code).toBe(1);
  expect([report.passed, report.failed]).toEqual([2, 1]);
  const failure = report.tests[1].failures[0];
  expect(failure.at).toBe('b-41');
  expect(failure.mismatches).toEqual([{ what: 'decision trust', expected: 'allow', got: 'challenge' }]);
  expect(failure.features['player.digs_1m']).toBe(41);
});

test('the clock is the events’ own: an event weeks later finds empty windows, a year later the player is forgotten', async () => {
  const file = variant(
    'clock',
    withTests(`  - name: weeks and a year later
    events: fixtures/year.ndjson
    expect:
      - { at: y-1, features: { player.digs_5m: 1, player.quiet: null } }
      - { at: y-2, features: { player.digs_5m: 2, player.quiet: 1000 } }
      - { at: y-3, features: { player.digs_5m: 1, player.quiet: 1727999000 } }
      - { at: y-4, features: { player.digs_5m: 1, player.quiet: null } }
`),
    {
      'year.ndjson': [
        '{"event_id":"y-1","player_id":7,"hunt_id":1,"event_time":"2024-06-01T10:00:00Z","dig":{"depth":0.5}}',
        '{"event_id":"y-2","player_id":7,"hunt_id":1,"event_time":"2024-06-01T10:00:01Z","dig":{"depth":0.5}}',
        '{"event_id":"y-3","player_id":7,"hunt_id":1,"event_time":"2024-06-21T10:00:00Z","dig":{"depth":0.5}}',
        '{"event_id":"y-4","player_id":7,"hunt_id":1,"event_time":"2025-06-21T10:00:00Z","dig":{"depth":0.5}}',
      ].join('\n'),
    },
  );
  const { code, stdout } = await hunt(['test', file]);
  expect(stdout).toContain('1 of 1 test passed');
  expect(code).toBe(0);
});

test('a pipeline that does not load, or has no tests, is a failure', async () => {
  const broken = await hunt(['test', variant('broken', (text) => text.replace('agg: count', 'agg: cuont'))]);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toMatch(/pipeline\.yaml:\d+:\d+ /);
  const empty = await hunt(['test', variant('empty', (text) => text.slice(0, text.indexOf('\ntests:')))]);
  expect(empty.code).toBe(1);
  expect(empty.stdout).toContain('has no tests');
});
