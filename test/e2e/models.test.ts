/**
 * Models on a real server: three that read one another, their scores in rows, rules, answers and explanations; another
 * training deployed beside and instead of the first. The trees are those of the golden files (test/model/golden).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseModel } from '../../native-free-core/model/parse-model.ts';
import { expSingle } from '../../native-free-core/model/single-precision.ts';
import { compileModel } from '../../native-free-core/model/compile-model.ts';
import type { ModelFormat } from '../../native-free-core/plan/model-plan.ts';
import type { Explanation, StoredExplanation } from '../../src/contract/explanation.ts';
import { seeded } from '../random.ts';
import { askPatiently, hunt, root, startServer, temporaryFolder, type Server } from './server.ts';

const TYPES = ['join', 'move', 'dig', 'clue', 'find', 'purchase'];
const ITEMS = ['spade', 'map', 'saw'];
const TOOLS = ['HANDS', 'SPADE', 'DRILL'];
const INPUTS = {
  cheat: ['event.lat', 'event.lon', 'player.digs_5m', 'player.depth_5m', 'event.type', 'event.purchase.item'],
  bored: [
    'player.quiet',
    'event.dig.depth',
    'player.points_5m',
    'model.cheat',
    'hunt.digs_1m',
    'player.spent_1h',
    'event.dig.tool',
    'event.type',
  ],
  risk: ['model.cheat', 'model.bored', 'derived.pace'],
};
const MODELS = `models:
  risk:
    file: risk.json
    format: logistic
    inputs: [${INPUTS.risk.join(', ')}]
  bored:
    file: bored.txt
    format: lightgbm
    inputs: [${INPUTS.bored.join(', ')}]
    output: margin
    categories: { event.dig.tool: [${TOOLS.join(', ')}], event.type: [${TYPES.join(', ')}] }
  cheat:
    file: cheat.json
    format: xgboost
    inputs: [${INPUTS.cheat.join(', ')}]
    categories: { event.purchase.item: [${ITEMS.join(', ')}], event.type: [${TYPES.join(', ')}] }
derived:
  pace: "double(player.digs_1m) / 60.0"
  doubled: "model.risk * 2.0"
`;
const RISK = JSON.stringify({
  intercept: -0.25,
  weights: { 'model.cheat': 1.5, 'model.bored': -0.5, 'derived.pace': 2 },
});

const folder = temporaryFolder();
let server: Server;
let file: string;

const golden = (name: string): Buffer =>
  gunzipSync(readFileSync(join(root, 'test', 'model', 'golden', `${name}.model.gz`)));

/** The example game with all of that. */
function writePipeline(name: string, cheat: string): string {
  const to = join(folder.path, name);
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'cheat.json'), golden(cheat));
  writeFileSync(join(to, 'bored.txt'), golden('lightgbm-binary'));
  writeFileSync(join(to, 'risk.json'), RISK);
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const whole = text
    .slice(0, text.indexOf('\ntests:'))
    .replace('\ndecisions:\n', () => `\n${MODELS}\ndecisions:\n`)
    .replace(
      "- { id: digger, when: 'player.digs_1m > 40'",
      () =>
        "- { id: risky, when: 'derived.doubled > 1.2', then: challenge }\n      - { id: digger, when: 'player.digs_1m > 40'",
    );
  writeFileSync(join(to, 'game.yaml'), whole);
  return join(to, 'game.yaml');
}

const EVENTS = 400;

function randomEvent(random: () => number, i: number, at: number): object {
  const whole = (below: number): number => Math.floor(random() * below);
  const branches: object[] = [
    { move: { metres: 1 } },
    { dig: { depth: whole(100) / 100, tool: TOOLS[whole(3)] } },
    { find: { points: whole(50), rarity: 'RARE' } },
    { purchase: { amount: whole(20000) / 100, item: [...ITEMS, 'rope'][whole(4)] } },
    {},
  ];
  return {
    event_id: `e${i}`,
    player_id: String(1 + whole(7)),
    ...(random() < 0.8 ? { hunt_id: String(1 + whole(3)) } : {}),
    event_time: new Date(at + i * 250).toISOString(),
    ...(random() < 0.8 ? { lat: random() - 0.5, lon: 2 * random() - 1 } : {}),
    ...branches[random() < 0.5 ? 1 : whole(branches.length)],
  };
}

async function post<Body>(path: string, body: unknown): Promise<Body> {
  const { status, text } = await askPatiently(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(path === '/v1/events' ? { 'x-hunt-ack': 'stored' } : {}) },
    body: JSON.stringify(body),
  });
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text) as Body;
}

beforeAll(async () => {
  file = writePipeline('first', 'xgboost-onehot');
  server = await startServer({
    data: join(folder.path, 'data'),
    pipeline: file,
    options: ['--batch-age', '100', '--workers', '2'],
  });
});
afterAll(async () => {
  await server?.kill();
  folder.remove();
});

/** The model's own evaluation of the inputs that were stored. */
function scoresOf(format: ModelFormat, name: string, rows: readonly (readonly (number | null)[])[]): number[] {
  const features = rows[0]!.length;
  const names = Array.from({ length: features }, (_, i) => `f${i}`);
  const parsed = parseModel(format, String(golden(name)), names);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const inputs = Float64Array.from(rows.flat(), (value) => value ?? NaN);
  const out = new Float64Array(rows.length);
  compileModel(parsed.content, format, format === 'xgboost' ? 'probability' : 'margin')(
    inputs,
    rows.length,
    features,
    out,
  );
  return [...out];
}

const place = (list: readonly string[], value: string): number | null =>
  list.includes(value) ? list.indexOf(value) : null;

test('scores are stored as the model gives them for the inputs that are stored beside them', async () => {
  const random = seeded(20260605);
  const at = Date.now() - EVENTS * 250 - 60_000;
  const events = Array.from({ length: EVENTS }, (_, i) => randomEvent(random, i, at));
  const dry: Explanation[] = [];
  for (let i = 0; i < EVENTS; i += 50) {
    dry.push(await post<Explanation>('/v1/decide', events[i]));
    await post('/v1/events', events.slice(i, i + 50));
  }
  interface Row {
    readonly [name: string]: number | null;
  }
  const rows = await server.query<Row & { type: string; item: string; tool: string; trust: string; rule: string }>(
    `SELECT lat, lon, player_digs_5m, player_depth_5m, player_quiet, dig_depth AS depth, player_points_5m, hunt_digs_1m,
       player_spent_1h, toString(action) AS type, purchase_item AS item, toString(dig_tool) AS tool, model_cheat, model_bored, model_risk,
       derived_doubled, derived_pace, trust, trust_rule AS rule FROM events ORDER BY _epoch, _batch, _row`,
  );
  expect(rows.length).toBe(EVENTS);
  const cheat = scoresOf(
    'xgboost',
    'xgboost-onehot',
    rows.map((row) => [
      row['lat']!,
      row['lon']!,
      row['player_digs_5m']!,
      row['player_depth_5m']!,
      place(TYPES, row.type),
      row.type === 'purchase' ? place(ITEMS, row.item) : null,
    ]),
  );
  expect(rows.map((row) => row['model_cheat'])).toEqual(cheat);
  const bored = scoresOf(
    'lightgbm',
    'lightgbm-binary',
    rows.map((row) => [
      row['player_quiet']!,
      row['depth']!,
      row['player_points_5m']!,
      row['model_cheat']!,
      row['hunt_digs_1m']!,
      row['player_spent_1h']!,
      row.type === 'dig' ? place(TOOLS, row.tool) : null,
      place(TYPES, row.type),
    ]),
  );
  expect(rows.map((row) => row['model_bored'])).toEqual(bored);
  const risk = rows.map(
    (row, i) => 1 / (1 + Math.exp(-(-0.25 + 1.5 * cheat[i]! - 0.5 * bored[i]! + 2 * row['derived_pace']!))),
  );
  expect(rows.map((row) => row['model_risk'])).toEqual(risk);
  expect(rows.map((row) => row['derived_doubled'])).toEqual(risk.map((score) => score * 2));
  const risky = rows.filter((row) => row.rule === 'risky');
  expect(risky.length).toBe(risk.filter((score) => score * 2 > 1.2).length);
  expect(risky.length).toBeGreaterThan(EVENTS / 20);
  expect(risky.length).toBeLessThan((EVENTS * 19) / 20);

  // What a dry run says of a score is what was then stored.
  for (const [i, { models }] of dry.entries()) {
    const stored = await server.get<StoredExplanation>(`/v1/decisions/e${i * 50}`);
    expect(stored.models).toEqual(models);
  }
});

test('an explanation shows every input, what it adds, and the way through each tree', async () => {
  const { models, decisions } = await server.get<StoredExplanation>('/v1/decisions/e399');
  const [cheat, bored, risk] = models;
  expect([cheat!.name, bored!.name, risk!.name]).toEqual(['model.cheat', 'model.bored', 'model.risk']);
  expect(cheat!.score).toBe(Math.fround(1 / (1 + expSingle(-cheat!.margin!))));
  expect(cheat!.trees!.length).toBe(100);
  expect(bored!.score).toBe(bored!.margin);
  expect(bored!.trees!.reduce((sum, { leaf }) => sum + leaf, 0)).toBe(bored!.margin);
  const added = risk!.inputs.map(({ contribution }) => contribution!);
  expect(added.reduce((sum, one) => sum + one, risk!.intercept!)).toBe(risk!.margin);
  expect(risk!.inputs[0]).toEqual({
    text: 'model.cheat',
    value: cheat!.score,
    number: cheat!.score,
    contribution: 1.5 * Number(cheat!.score),
  });
  expect(cheat!.inputs.map(({ text }) => text)).toEqual(INPUTS.cheat);
  expect(cheat!.inputs[4]).toMatchObject({ value: expect.any(String), number: expect.any(Number) });
  const asked = cheat!.trees!.flatMap(({ splits }) => splits.filter(({ text }) => text.startsWith('event.type in')));
  expect(asked.length).toBeGreaterThan(0);
  const condition = decisions
    .find(({ decision }) => decision === 'trust')!
    .rules.find(({ rule }) => rule === 'risky')!.condition;
  expect(condition.values).toContainEqual({ text: 'derived.doubled', value: 2 * Number(risk!.score) });

  const short = await hunt(['explain', 'e399', '--url', server.url]);
  expect(short.stdout).toMatch(/model\.risk = 0\.\d+ {3}probability of margin -?\d/);
  expect(short.stdout).toMatch(/model\.cheat {2}0\.\d+, [+−]/);
  expect(short.stdout).not.toMatch(/tree 0/);
  const long = await hunt(['explain', 'e399', '--paths', '--url', server.url]);
  expect(long.stdout).toMatch(/tree 99 {3}[+−]\d/);
});

test('another training is planned, shadowed, deployed and taken back, and everything verifies', async () => {
  const other = writePipeline('second', 'xgboost-poisson');
  writeFileSync(
    other,
    readFileSync(other, 'utf8').replace(
      'inputs: [event.lat, event.lon, player.digs_5m,',
      'output: value\n    inputs: [event.lat, event.lon, player.digs_5m,',
    ),
  );
  const planned = await hunt(['plan', other, '--url', server.url]);
  expect(planned.stdout + planned.stderr).toMatch(/model\.cheat.*other scores from now on/);
  expect(planned.code).toBe(0);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await hunt([...args, '--url', server.url]);
    expect(code, `${args.join(' ')}\n${stdout}${stderr}${server.log().slice(-4000)}`).toBe(0);
    return stdout;
  };
  const send = async (from: number, count: number): Promise<void> => {
    const random = seeded(from);
    const events = Array.from({ length: count }, (_, i) =>
      randomEvent(random, from + i, Date.now() - (from + count) * 250),
    );
    await post('/v1/events', events);
  };
  await ok('deploy', other, '--shadow');
  await send(1000, 100);
  const shadowed = await server.get<StoredExplanation>('/v1/decisions/e1000');
  expect(shadowed.models.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['model.cheat', 'model.shadow_cheat']),
  );
  await ok('diff');
  await ok('deploy', '--end-shadow');
  await ok('deploy', other);
  await send(2000, 100);
  const [counts] = await server.query<{ all: number; scored: number }>(
    'SELECT toUInt32(count()) AS all, toUInt32(countIf(model_cheat IS NOT NULL)) AS scored FROM events',
  );
  expect(counts).toEqual({ all: EVENTS + 200, scored: EVENTS + 200 });
  // Each by the version that scored it, after a crash and a rollback, too.
  await server.kill();
  server = await startServer({ data: server.data, pipeline: file, options: ['--batch-age', '100', '--workers', '2'] });
  await ok('rollback');
  const [old, current] = await Promise.all(
    ['e399', 'e2000'].map((id) => server.get<StoredExplanation>(`/v1/decisions/${id}`)),
  );
  expect(old!.models[0]).toMatchObject({ name: 'model.cheat', output: 'probability' });
  expect(current!.models[0]).toMatchObject({ name: 'model.cheat', output: 'value' });
  expect(current!.models[0]!.score).toBe(expSingle(current!.models[0]!.margin!));
  await ok('verify', '--no-skew');
  await ok('audit');
});
