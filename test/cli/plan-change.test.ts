/** `hunt plan FILE --url` on a real server is right: what it says beforehand is what `hunt deploy` then does, or refuses. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { PlannedChange } from '../../src/cli/plan/plan-change.ts';
import { changed } from '../config/pipelines.ts';
import { PIPELINE, SCHEMA } from '../e2e/schema-edits-cases.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';

const folder = temporaryFolder();
let server: Server | null = null;
afterAll(async () => {
  await server?.kill();
  folder.remove();
});

type Edits = readonly (readonly [string, string])[];

function write(name: string, schema: Edits = [], pipeline: Edits = []): string {
  const edited = (text: string, edits: Edits): string =>
    edits.reduce((before, [from, to]) => changed(from, to, before), text);
  const home = join(folder.path, name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'events.proto'), edited(SCHEMA, schema));
  writeFileSync(join(home, 'pipeline.yaml'), edited(PIPELINE, pipeline));
  return join(home, 'pipeline.yaml');
}

const SECOND = {
  schema: [
    ['int32 level', 'int64 grade'],
    ['string team', 'optional string crew'],
  ],
  pipeline: [
    ['event.level', 'event.grade'],
    ['    digs:', '    spades:'],
    ['player.digs', 'player.spades'],
    ['    tries:', '    gold: { agg: max, of: event.gold, window: 1h }\n    tries:'],
  ],
} as const;

let events = 0;

async function send(fields: object): Promise<void> {
  const event = { event_id: `e${++events}`, player_id: '7', event_time: new Date().toISOString(), ...fields };
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
  const response = await fetch(`${server!.url}/v1/events`, init);
  expect(response.status, await response.text()).toBe(200);
}

async function stored(rows: number): Promise<void> {
  await until(async () => {
    const [row] = await server!.query<{ rows: number }>('SELECT toUInt32(count()) AS rows FROM events');
    return row!.rows === rows;
  }, 'the rows are stored');
}

async function plan(file: string): Promise<{ code: number | null; planned: PlannedChange; text: string }> {
  const asJson = await hunt(['plan', file, '--url', server!.url, '--json']);
  const asText = await hunt(['plan', file, '--url', server!.url]);
  expect(asText.code).toBe(asJson.code);
  return { code: asJson.code, planned: JSON.parse(asJson.stdout) as PlannedChange, text: asText.stdout };
}

test('planned, deployed, rolled back', async () => {
  const first = write('first');
  const second = write('second', SECOND.schema, SECOND.pipeline);
  const data = join(folder.path, 'data');
  server = await startServer({ data, pipeline: first, options: ['--batch-age', '100'] });
  for (let i = 0; i < 5; i++) await send({ level: 10 + i, team: 'red', gold: i, dig: { depth: 1.5, tries: 2 } });
  await stored(5);

  const { code, planned, text } = await plan(second);
  expect(code).toBe(0);
  expect(planned).toMatchObject({ accepted: true, class: 'backfill', refusals: [] });
  expect(planned.entities).toMatchObject([{ name: 'player', fate: 'rebuilt' }]);
  expect(planned.features.map(({ name, fate, storedRows }) => [name, fate, storedRows])).toEqual([
    ['spades', 'kept', 0],
    ['levels', 'backfilled', 5],
    ['gold', 'backfilled', 5],
    ['tries', 'kept', 0],
  ]);
  expect(text).toMatch(/would be accepted/);
  expect(text).toMatch(/player\.levels +backfilled +it reads grade, of another type now.*; 5 stored rows to read/);
  expect(text).toMatch(/\+ former table of player/);
  const { before, during, after } = planned.memory!;
  expect(during.reservedBytes).toBeGreaterThan(Math.max(before.reservedBytes, after.reservedBytes));

  const deployed = await hunt(['deploy', second, '--url', server.url, '--json']);
  expect(deployed.code, deployed.stderr).toBe(0);
  const change = JSON.parse(deployed.stdout) as { version: string; diff: PlannedChange };
  expect(change.version).toBe(planned.to);
  expect(change.diff.edits).toEqual(planned.edits);
  expect((await plan(second)).text).toMatch(/nothing would change/);

  await send({ grade: '5000000000', crew: 'blue', gold: 1, dig: { depth: 1, tries: 1 } });
  await send({ grade: '1' });
  await stored(7);
  const columns = 'grade, level, crew, team, player_spades, player_digs, player_levels, player_gold, player_tries';
  expect(
    await server.query(`SELECT ${columns} FROM events WHERE event_id IN ('e5', 'e6', 'e7') ORDER BY player_seq`),
  ).toEqual([
    {
      grade: 14,
      level: 14,
      crew: 'red',
      team: 'red',
      player_spades: 5,
      player_digs: 5,
      player_levels: 60,
      player_gold: null,
      player_tries: 10,
    },
    {
      grade: 5000000000,
      level: 5000000000,
      crew: 'blue',
      team: 'blue',
      player_spades: 6,
      player_digs: 6,
      player_levels: 5_000_000_060,
      player_gold: 4,
      player_tries: 11,
    },
    {
      grade: 1,
      level: 1,
      crew: null,
      team: null,
      player_spades: 6,
      player_digs: 6,
      player_levels: 5_000_000_061,
      player_gold: 4,
      player_tries: 11,
    },
  ]);
  const verified = await hunt(['verify', '--url', server.url]);
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);

  const back = await plan(first);
  expect(back.code, back.text).toBe(0);
  expect(back.text).toMatch(/int64 becomes int32 again: the column stays as wide as it is/);
  const rolledBack = await hunt(['rollback', '--url', server.url]);
  expect(rolledBack.code, rolledBack.stderr).toBe(0);
  await send({ level: 3, dig: { depth: 1, tries: 1 } });
  await stored(8);
  const [last] = await server.query(
    "SELECT level, grade, team, player_digs, player_tries FROM events WHERE event_id = 'e8'",
  );
  expect(last).toEqual({ level: 3, grade: 3, team: '', player_digs: 7, player_tries: 12 });
});

test('refused by both, with the reason', async () => {
  const removed = write(
    'removed',
    [['  string country = 6;\n', '']],
    [['  fields:\n    country: { dictionary: true }\n', '']],
  );
  const { code, planned, text } = await plan(removed);
  expect(code).toBe(1);
  expect(planned).toMatchObject({ accepted: false, class: 'refused', memory: null });
  expect(text).toMatch(/WOULD BE REFUSED\n {2}refused: event.country: field removed.*write: reserved 6;/);
  const deployed = await hunt(['deploy', removed, '--url', server!.url]);
  expect(deployed.code).not.toBe(0);
  expect(deployed.stderr).toContain('write: reserved 6;');
});

test('a name under which the table keeps another field is refused, long after the rename', async () => {
  // `level` is what the table calls field 13, whatever it is called now.
  const taken = write(
    'taken',
    [...SECOND.schema, ['  string country', '  int32 level = 40;\n  string country']],
    SECOND.pipeline,
  );
  const renamed = await hunt(['deploy', join(folder.path, 'second', 'pipeline.yaml'), '--url', server!.url]);
  expect(renamed.code, renamed.stderr).toBe(0);
  const { code, planned } = await plan(taken);
  expect(code).toBe(1);
  expect(planned.refusals.join()).toContain('level: column level holds field 13 in rows of version ');
  const deployed = await hunt(['deploy', taken, '--url', server!.url]);
  expect(deployed.code).not.toBe(0);
});
