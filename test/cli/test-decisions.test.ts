/** `hunt test` and `hunt check` over limits, experiments and lists: through the real core, with the events' own clock. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hunt, root, temporaryFolder } from '../e2e/server.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const DECISIONS = `lists:
  friends: { file: friends.txt, type: int, max: 100 }
  towns: { file: towns.txt, type: string, max: 100 }
experiments:
  hints: { key: event.player_id, salt: '2024-11', arms: { control: 50, treatment: 50 } }
decisions:
  assistance:
    actions: [hint, gift, nothing]
    rules:
      - { id: friend, when: 'event.player_id in list.friends', then: gift }
      - { id: stuck, when: "experiment.hints == 'treatment'", then: hint, limit: { count: 2, per: 10m, entity: player } }
    default: nothing
`;

function pipeline(name: string, tests: string, events: readonly object[]): string {
  const example = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'friends.txt'), '900\n901\n');
  writeFileSync(join(folder.path, 'towns.txt'), 'Rome\n');
  writeFileSync(join(folder.path, `${name}.ndjson`), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(file, `${example.slice(0, example.indexOf('\ndecisions:\n'))}\n${DECISIONS}tests:\n${tests}`);
  return file;
}

function dig(id: string, player: number, time: string): object {
  return { event_id: id, player_id: player, hunt_id: 1, event_time: `2026-06-01T${time}Z`, dig: { depth: 0.5 } };
}

/** Player 1 is in the treatment arm, player 3 in the other. */
const EVENTS = [
  dig('a', 1, '10:00:00'),
  dig('b', 1, '10:00:01'),
  dig('c', 1, '10:00:02'),
  dig('other', 3, '10:00:03'),
  dig('friend', 900, '10:00:04'),
  dig('late', 1, '10:11:00'),
];

test('a limit is used up and comes back, an arm is as it is, a list is asked', async () => {
  const expectations = `  - name: two hints in ten minutes
    events: passes.ndjson
    expect:
      - { at: a, decision: { assistance: hint }, rule: stuck, experiment: { hints: treatment } }
      - { at: b, decision: { assistance: hint }, rule: stuck }
      - { at: c, decision: { assistance: nothing }, rule: default, experiment: { hints: treatment } }
      - { at: other, decision: { assistance: nothing }, experiment: { hints: control } }
      - { at: friend, decision: { assistance: gift }, rule: friend }
      - { at: late, decision: { assistance: hint } }
`;
  const { code, stdout, stderr } = await hunt(['test', pipeline('passes', expectations, EVENTS)]);
  expect(stdout + stderr).toContain('1 of 1 test passed');
  expect(code).toBe(0);
});

test('a wrong arm and a limit that is not there are shown', async () => {
  const expectations = `  - name: three hints
    events: fails.ndjson
    expect:
      - { at: c, decision: { assistance: hint }, rule: stuck }
      - { at: other, experiment: { hints: treatment } }
`;
  const { code, stdout } = await hunt(['test', pipeline('fails', expectations, EVENTS)]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/decision assistance +expected hint, got nothing/);
  expect(stdout).toMatch(/experiment hints +expected treatment, got control/);
});

test('an expectation of an arm or experiment that is not declared is a mistake in the file', async () => {
  const expectations = `  - name: wrong
    events: wrong.ndjson
    expect:
      - { at: c, experiment: { hints: treated } }
      - { at: c, experiment: { hint: treatment } }
`;
  const { code, stderr } = await hunt(['test', pipeline('wrong', expectations, EVENTS)]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/unknown arm: treated.*\n[^]*unknown experiment: hint/);
});

test('hunt check tells of limits, arms and lists', async () => {
  const { code, stdout } = await hunt([
    'check',
    pipeline('checked', '  - { name: one, events: checked.ndjson, expect: [{ at: a }] }\n', []),
  ]);
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/stuck +hint +experiment\.hints == 'treatment' +at most 2 per 10m and player, in hops of 15s/);
  expect(stdout).toContain(
    'experiment hints: key event.player_id; salt 2024-11\n  control    50 %\n  treatment  50 %\n',
  );
  expect(stdout).toContain('list friends: 2 of at most 100 entries of friends.txt');
  expect(stdout).toContain('assistance_seq');
});
