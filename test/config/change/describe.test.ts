/** What a change of the pipeline file means for state, columns and settings. */

import { describe, expect, test } from 'vitest';
import type { ModelPlan } from '../../../native-free-core/plan/model-plan.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { describeChange } from '../../../src/config/index.ts';
import { changed, compileText, PARTS, PIPELINE, PROTO } from '../pipelines.ts';

const plan = compileText(PIPELINE).plan;

function after(from: string, to: string, base: string = PIPELINE): Plan {
  return compileText(changed(from, to, base)).plan;
}

/** `class path: text` of each edit. */
function edits(from: Plan, to: Plan, rollback = false): string[] {
  return describeChange(from, to, { rollback }).edits.map((edit) => `${edit.class} ${edit.path}: ${edit.text}`);
}

function fates(from: Plan, to: Plan): string[] {
  return describeChange(from, to).features.map(({ entity, name, fate }) => `${entity}.${name} ${fate}`);
}

describe('state', () => {
  test('nothing changed: tables go on', () => {
    const { class: worst, edits: none, change } = describeChange(plan, plan);
    expect([worst, none]).toEqual(['safe', []]);
    expect(change!.columns).toEqual(plan.columns.map((_, i) => i));
    expect(change!.entities.map(({ from, keepsTable }) => [from, keepsTable])).toEqual([
      [0, true],
      [1, true],
    ]);
  });

  test('a rule changed: tables go on', () => {
    const to = after('player.digs_5m > 120', 'player.digs_5m > 60');
    expect(edits(plan, to)).toEqual(['safe trust.digger: condition player.digs_5m > 120 becomes player.digs_5m > 60']);
    expect(describeChange(plan, to).change!.entities.every(({ keepsTable }) => keepsTable)).toBe(true);
  });

  test('a feature added is backfilled, the others keep their state', () => {
    const to = after('    quiet:', '    far: { agg: max, of: event.dig.depth, window: 1h }\n    quiet:');
    const { class: worst, change, entities } = describeChange(plan, to);
    expect(worst).toBe('backfill');
    expect(change!.entities[0]).toEqual({ from: 0, keepsTable: false, features: [0, 1, 2, 3, 4, -1, 5] });
    expect(entities.map(({ fate }) => fate)).toEqual(['rebuilt', 'kept']);
    expect(fates(plan, to)).toContain('player.far backfilled');
  });

  test('a feature redefined under its name is backfilled', () => {
    const to = after('of: event.find.points, window: 10m, hop: 1m', 'of: event.find.points, window: 20m, hop: 1m');
    expect(fates(plan, to)).toContain('player.points backfilled');
    expect(edits(plan, to)).toEqual([
      'backfill player.points: another definition: computed anew from stored rows; rows so far keep what was served',
    ]);
  });

  test('a renamed feature keeps its state, and its column answers under both names', () => {
    const to = after('    quiet:', '    silence:');
    const { change, renames, features } = describeChange(plan, to);
    expect(change!.entities[0]).toEqual({ from: 0, keepsTable: true, features: [0, 1, 2, 3, 4, 5] });
    expect(renames).toEqual([{ from: 'player_quiet', to: 'player_silence' }]);
    expect(features.find(({ name }) => name === 'silence')).toMatchObject({ fate: 'kept', formerName: 'quiet' });
  });

  test('a copy of a feature takes its state, too', () => {
    const to = after('    quiet:', '    silence: { agg: time_since_last }\n    quiet:');
    expect(describeChange(plan, to).change!.entities[0]!.features).toEqual([0, 1, 2, 3, 4, 5, 5]);
    expect(describeChange(plan, to).renames).toEqual([]);
  });

  test('features that swap names swap state', () => {
    const swapped = changed('    quiet: { agg: time', '    aside: { agg: time', PIPELINE);
    const named = changed('    last_lat:', '    quiet:', swapped);
    const to = compileText(changed('    aside:', '    last_lat:', named)).plan;
    const { change, class: worst } = describeChange(plan, to);
    expect(worst).toBe('safe');
    expect(change!.entities[0]!.features).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('a removed feature is dropped', () => {
    const to = after('    quiet: { agg: time_since_last }\n', '');
    expect(fates(plan, to)).toContain('player.quiet dropped');
    expect(describeChange(plan, to).change!.entities[0]).toMatchObject({
      keepsTable: false,
      features: [0, 1, 2, 3, 4],
    });
  });

  test('entities: new, dropped, larger, another key, another primary', () => {
    const added = after('  hunt: {', '  land: { key: event.country, max: 1k, ttl: 1d }\n  hunt: {');
    expect(describeChange(plan, added).change!.entities.map(({ from }) => from)).toEqual([0, -1, 1]);
    expect(describeChange(added, plan).entities.map(({ name, fate }) => `${name} ${fate}`)).toEqual([
      'player kept',
      'hunt kept',
      'land dropped',
    ]);
    const larger = describeChange(plan, after('max: 100k', 'max: 200k'));
    expect(larger.change!.entities[1]).toMatchObject({ from: 1, keepsTable: false, features: [0] });
    expect(edits(plan, after('max: 100k', 'max: 50k'))[0]).toMatch(/^safe hunt: max lowered .* MORE ARE ALIVE/);
    expect(edits(plan, after('key: event.hunt_id', 'key: event.wide'))[0]).toMatch(/^refused hunt: key changed/);
    const other = changed('key: event.player_id, primary: true', 'key: event.player_id');
    const primary = compileText(changed('key: event.hunt_id', 'key: event.hunt_id, primary: true', other)).plan;
    expect(edits(plan, primary).filter((edit) => edit.startsWith('refused')).length).toBeGreaterThan(0);
    expect(edits(plan, after('ttl: 30d }\nfeatures', 'ttl: 10d }\nfeatures'))).toEqual([
      'safe hunt: ttl 30d becomes 10d, for entities already there, too',
    ]);
  });

  test('a new branch before the others renumbers the types, not the features', () => {
    const files = { 'parts.proto': PARTS, 'events.proto': changed('{ Dig dig', '{ string hint = 23; Dig dig', PROTO) };
    const to = compileText(PIPELINE, files).plan;
    expect(describeChange(plan, to).class).toBe('safe');
    expect(describeChange(plan, to).change!.entities.every(({ keepsTable }) => keepsTable)).toBe(true);
  });

  test('limits go on where rule, count, period and entity are the same', () => {
    const limited = (count: number): Plan =>
      after(
        "when: 'player.digs_5m > 120', then: challenge",
        `when: 'player.digs_5m > 120', then: challenge, limit: { count: ${count}, per: 1h, entity: player }`,
      );
    expect(describeChange(limited(5), limited(5)).change!.limits).toEqual([
      { decision: 0, rule: 0, fromDecision: 0, fromRule: 0 },
    ]);
    expect(describeChange(limited(5), limited(6)).change!.limits).toEqual([
      { decision: 0, rule: 0, fromDecision: -1, fromRule: -1 },
    ]);
  });
});

describe('columns', () => {
  const DERIVED = changed('entities:\n', 'derived:\n  deep: event.dig.depth * 2.0\nentities:\n');

  test('a feature whose column would hold another type is refused', () => {
    expect(edits(plan, after('points: { agg: sum, of: event.find.points,', 'points: { agg: count,'))).toContain(
      'refused player_points: column player_points holds Nullable(Float64) in stored rows and would hold UInt32; give it another name in the pipeline',
    );
  });

  test('a derived value keeps its column whatever its expression', () => {
    const from = compileText(DERIVED).plan;
    const to = compileText(changed('* 2.0', '* 3.0', DERIVED)).plan;
    expect(edits(from, to)[0]).toMatch(/^safe derived.deep: derived value changed/);
    const renamed = compileText(changed('deep:', 'deeper:', DERIVED)).plan;
    expect(describeChange(from, renamed).renames).toEqual([{ from: 'derived_deep', to: 'derived_deeper' }]);
  });

  test('a name that stands for something else is refused', () => {
    const files = {
      'parts.proto': PARTS,
      'events.proto': changed('int32 level = 13;', 'int32 level = 13; double derived_deep = 30;', PROTO),
    };
    const from = compileText(DERIVED).plan;
    expect(edits(from, compileText(PIPELINE, files).plan)).toContain(
      'refused derived_deep: column derived_deep holds derived.deep in stored rows and would hold field 30; take another name',
    );
  });

  test('dictionary or not: the same texts, features anew', () => {
    const text = changed('    quiet:', '    land: { agg: last, of: event.country }\n    quiet:');
    const to = compileText(text).plan;
    const plain = compileText(changed('    country: { dictionary: true }\n', '')).plan;
    expect(edits(plan, plain)).toEqual([
      'safe events.fields.country: stored as strings instead of a dictionary: the same texts',
    ]);
    expect(describeChange(plain, to).edits.map((edit) => edit.class)).toEqual(['backfill', 'backfill']);
  });
});

test('models: rows keep their scores', () => {
  const scored = (weight: number, name = 'risk'): Plan => {
    const column = plan.columns.length;
    const model: ModelPlan = {
      name,
      format: 'linear',
      file: 'risk.json',
      output: 'margin',
      inputs: [{ node: 'column', type: 'double', column: plan.entities[0]!.features[2]!.column }],
      inputTexts: ['player.depth'],
      categories: [null],
      column,
      content: { kind: 'linear', intercept: 0, weights: [weight], defaults: [0] },
    };
    const score = {
      ...plan.columns.at(-1)!,
      index: column,
      name: `model_${name}`,
      kind: 'f64',
      nullable: true,
    } as const;
    return { ...plan, columns: [...plan.columns, score], models: [model] };
  };
  expect(describeChange(scored(1), scored(1))).toMatchObject({ class: 'safe', edits: [] });
  expect(edits(plan, scored(1))).toEqual(['safe model.risk: model added: rows so far have no score of it']);
  expect(edits(scored(1), scored(2))).toEqual([
    'safe model.risk: model changed: other scores from now on; rows keep theirs',
  ]);
  expect(describeChange(scored(1), scored(2)).change!.columns.at(-1)).toBe(plan.columns.length);
  expect(edits(scored(1), scored(1, 'other'))).toHaveLength(2);
});

describe('settings', () => {
  test('say when they take effect', () => {
    const bounds = after(
      '  time: event_time',
      '  time: event_time\n  dictionary_max: 1k\n  unknown_fields: reject\n  dedup: { window: 1h, ids_max: 1M }\n  accept: { max_age: 5d }',
    );
    expect(edits(plan, bounds)).toEqual([
      'safe events.accept.max_age: 3650d becomes 5d: for events from then on',
      'safe events.dedup.window: 10m becomes 1h: takes effect at the next start',
      'safe events.unknown_fields: warn becomes reject: for events from then on',
      'safe events.dedup.ids_max: 4000000 becomes 1000000: takes effect at the next start',
      'safe events.dictionary_max: 65536 becomes 1000: takes effect at the next start',
    ]);
  });

  test('id and pipeline cannot change', () => {
    expect(edits(plan, after('id: event_id', 'id: country'))).toContain(
      'refused events.id: event_id would become country: stored rows go by the former; keep it',
    );
    expect(edits(plan, after('pipeline: small', 'pipeline: other'))[0]).toMatch(/^refused pipeline: this is another/);
  });
});

test('rolling back: fields that the version does not know are no loss', () => {
  const files = {
    'parts.proto': PARTS,
    'events.proto': changed('int32 level = 13;', 'int64 level = 13; optional double lon = 30;', PROTO),
  };
  const to = compileText(PIPELINE, files).plan;
  expect(describeChange(plan, to).class).toBe('safe');
  expect(describeChange(to, plan).class).toBe('refused');
  expect(edits(to, plan, true)).toEqual([
    'safe event.level: int64 becomes int32 again: the column stays as wide as it is; stored values beyond int32 are cut off where this version reads them',
    'safe event.lon: field 30 is unknown to this version: rows keep what they have, and its columns are written no more; events that carry it are accepted, the field is skipped and counted',
  ]);
});

test('names and numbers of earlier versions stay theirs', () => {
  const schema = (from: string, to: string): Plan =>
    compileText(PIPELINE, { 'parts.proto': PARTS, 'events.proto': changed(from, to, PROTO) }).plan;
  const removed = schema('int32 level = 13;', 'reserved 13;');
  const refusals = (to: Plan): string[] =>
    describeChange(removed, to, { earlier: [plan, removed] })
      .edits.filter((edit) => edit.class === 'refused')
      .map(({ path, text }) => `${path}: ${text}`);
  expect(refusals(schema('int32 level = 13;', 'reserved 13; double level = 30;'))).toEqual([
    `level: column level holds field 13 in rows of version ${plan.version} and would hold field 30; take another name`,
  ]);
  expect(refusals(schema('int32 level = 13;', 'string motto = 13;'))).toContain(
    `event.motto: number 13 was level (int32) in version ${plan.version}; take a number that was never used`,
  );
  const hunt = '  hunt: { key: event.hunt_id, max: 100k, ttl: 30d }\n';
  const features = '  hunt:\n    finders: { agg: count, where: "event.type == \'find\'", window: 10m }\n';
  const without = compileText(changed(hunt, '', changed(features, ''))).plan;
  const back = after('key: event.hunt_id', 'key: event.wide');
  const { edits: found } = describeChange(without, back, { earlier: [plan, without] });
  expect(found.filter((edit) => edit.class === 'refused').map(({ text }) => text)).toEqual([
    `an entity of this name had the key event.hunt_id in version ${plan.version}; take another name`,
  ]);
  expect(describeChange(without, plan, { earlier: [plan, without] }).class).toBe('safe');
});
