/** What a right pipeline compiles into: columns, message, features, decisions, expressions. */

import { describe, expect, test } from 'vitest';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import type { Expression, FieldPlan } from '../../native-free-core/plan/plan.ts';
import { defaultHopMs } from '../../src/config/hops.ts';
import { pipelineJsonSchema } from '../../src/config/index.ts';
import { loadPipelineFile } from '../../src/config/load-pipeline.ts';
import { countOf, durationMs, durationText } from '../../src/config/units.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { changed, compileText, FILES, PIPELINE, problemsOf, PROTO } from './pipelines.ts';

const { plan } = compileText(PIPELINE);
const column = (name: string) => plan.columns.find((one) => one.name === name)!;

describe('columns', () => {
  test('of the message: kind, ClickHouse type, branch', () => {
    const shown = plan.columns
      .filter(({ name }) => !/^(player|hunt)_|^_|trust/.test(name) || name.endsWith('_id'))
      .map(({ name, kind, shape, clickhouseType, branch }) => [name, kind, shape, clickhouseType, branch].join(' '));
    expect(shown).toEqual([
      "received_at time scalar DateTime64(3, 'UTC') -1",
      "effective_time time scalar DateTime64(3, 'UTC') -1",
      'action code scalar LowCardinality(String) -1',
      'event_id string scalar String -1',
      'player_id u64 scalar UInt64 -1',
      'hunt_id u64 scalar UInt64 -1',
      "event_time time scalar DateTime64(3, 'UTC') -1",
      'lat f64 scalar Nullable(Float64) -1',
      'country dictionary scalar LowCardinality(String) -1',
      'rarity enum scalar LowCardinality(String) -1',
      'vip u8 scalar Bool -1',
      'tags i32 list Array(Int32) -1',
      'scores i64 map Map(String, Int64) -1',
      'wide u64 scalar UInt64 -1',
      'blob bytes scalar String -1',
      'level i32 scalar Int32 -1',
      'dig_depth f64 scalar Nullable(Float64) 1',
      'dig_tool_name string scalar Nullable(String) 1',
      'find_points u32 scalar Nullable(UInt32) 2',
      'find_bonus i32 scalar Nullable(Int32) 2',
      'shout string scalar Nullable(String) 3',
    ]);
  });

  test('of entities, features, decisions and the engine', () => {
    const shown = plan.columns
      .filter(({ name }) => /^(player|hunt)_|^_|trust/.test(name) && !name.endsWith('_id'))
      .map(({ name, clickhouseType }) => `${name} ${clickhouseType}`);
    expect(shown).toEqual([
      'player_seq UInt64',
      'player_life UInt64',
      'hunt_seq Nullable(UInt64)',
      'hunt_life Nullable(UInt64)',
      'player_digs_1m UInt32',
      'player_digs_5m UInt32',
      'player_depth Nullable(Float64)',
      'player_points Nullable(Float64)',
      'player_last_lat Nullable(Float64)',
      'player_quiet Nullable(Float64)',
      'hunt_finders Nullable(UInt32)',
      'trust LowCardinality(String)',
      'trust_rule LowCardinality(String)',
      '_producer LowCardinality(String)',
      '_frame_seq UInt64',
      '_frame_index UInt32',
      '_overflow UInt8',
    ]);
    expect(plan.columns.map((one) => one.index)).toEqual(plan.columns.map((_, i) => i));
  });

  test('labels and enum names', () => {
    expect(column('action').labels).toEqual(['', 'dig', 'find', 'shout']);
    expect(column('trust').labels).toEqual(['', 'allow', 'challenge']);
    expect(column('trust_rule').labels).toEqual(['', 'default', 'digger']);
    expect(column('rarity').enumNames).toEqual([
      [0, 'COMMON'],
      [1, 'RARE'],
      [7, 'LEGENDARY'],
    ]);
  });

  test('the engine finds its own', () => {
    const named = Object.fromEntries(
      Object.entries(plan.system).map(([key, index]) => [key, plan.columns[index]!.name]),
    );
    expect(named).toEqual({
      eventId: 'event_id',
      eventTime: 'event_time',
      receivedAt: 'received_at',
      effectiveTime: 'effective_time',
      type: 'action',
      producer: '_producer',
      frameSeq: '_frame_seq',
      frameIndex: '_frame_index',
      overflow: '_overflow',
    });
  });
});

describe('message', () => {
  const field = (name: string): FieldPlan => plan.message.fields.find((one) => one.name === name)!;

  test('branches, nested messages, maps', () => {
    expect(field('dig')).toMatchObject({ number: 20, type: 'message', branch: 1, oneof: -1, column: -1 });
    expect(field('dig').message!.fields.map((one) => [one.name, one.type, one.branch])).toEqual([
      ['depth', 'double', -1],
      ['tool', 'message', -1],
    ]);
    expect(field('shout')).toMatchObject({ type: 'string', branch: 3, column: column('shout').index });
    expect(field('scores')).toMatchObject({ type: 'map', mapValue: 'int64', repeated: false });
    expect(field('event_id').jsonName).toBe('eventId');
  });

  test('without a type, the oneof is a plain one', () => {
    const text = changed('  type: action\n', '', PIPELINE).replace(/"event.type == '\w+'"/g, "'has(event.level)'");
    const untyped = compileText(text).plan;
    expect(untyped.system.type).toBe(-1);
    expect(untyped.message.fields.filter((one) => one.oneof === 0).map((one) => one.name)).toEqual([
      'dig',
      'find',
      'shout',
    ]);
    expect(untyped.columns.every((one) => one.branch === -1)).toBe(true);
  });

  test('a time in integer milliseconds is stored as a time', () => {
    const text = changed('time: event_time', 'time: wide');
    const { columns, system } = compileText(text).plan;
    expect(columns[system.eventTime]).toMatchObject({ name: 'wide', kind: 'time', nullable: false });
    expect(columns.find((one) => one.name === 'event_time')).toMatchObject({ kind: 'time', nullable: true });
  });

  const refusals: [string, string, RegExp][] = [
    [
      'recursion',
      PROTO.replace('int32 level = 13;', 'Event parent = 13;'),
      /field parent \(events.proto:18:9\): a message within itself/,
    ],
    [
      'deep recursion',
      PROTO.replace('int32 level = 13;', 'A a = 13;') + 'message A { B b = 1; } message B { A a = 1; }',
      /field a.b.a .*: a message within itself/,
    ],
    ['repeated messages', PROTO.replace('int32 level', 'repeated Dig level'), /field level .*repeated messages/],
    [
      'values of any type',
      PROTO.replace('int32 level = 13;', 'google.protobuf.Struct level = 13;').replace(
        'package',
        'import "google/protobuf/struct.proto"; package',
      ),
      /field level .*google.protobuf.Struct holds an object of any shape/,
    ],
    ['map keys', PROTO.replace('map<string, int64>', 'map<int32, int64>'), /keys must be strings, not int32/],
    ['map of messages', PROTO.replace('map<string, int64>', 'map<string, Dig>'), /values must be scalars or enums/],
    ['not proto3', PROTO.replace('proto3', 'proto2'), /must begin with syntax = "proto3"/],
    ['syntax', PROTO.replace('message Event {', 'message {'), /events.proto:5:9 expected the message’s name/],
    [
      'missing import',
      PROTO.replace('parts.proto', 'part.proto'),
      /events.proto:4:8 the import part.proto is not there/,
    ],
    ['field called type', PROTO.replace('int32 level', 'int32 type'), /event.type would mean both/],
    ['flattened collision', PROTO.replace('int32 level', 'int32 dig_depth'), /two columns would be called dig_depth/],
    ['engine collision', PROTO.replace('int32 level', 'int32 received_at'), /two columns would be called received_at/],
    ['insert collision', PROTO.replace('int32 level', 'int32 _batch'), /two columns would be called _batch/],
  ];
  test.each(refusals)('%s is refused', (_, proto, message) => {
    const problems = problemsOf(PIPELINE, { ...FILES, 'events.proto': proto });
    expect(problems.map((problem) => problem.message).join('\n')).toMatch(message);
    expect(problems.every(({ line, column: at }) => line > 1 && at > 1)).toBe(true);
  });

  test('well-known types are flattened like others', () => {
    const proto = PROTO.replace(
      'import "parts.proto";',
      'import "parts.proto";\nimport "google/protobuf/wrappers.proto";',
    ).replace(
      'int32 level = 13;',
      'google.protobuf.Int32Value level = 13; repeated google.protobuf.Timestamp seen = 14;',
    );
    const { columns } = compileText(PIPELINE, { ...FILES, 'events.proto': proto }).plan;
    expect(columns.find((one) => one.name === 'level_value')?.clickhouseType).toBe('Nullable(Int32)');
    expect(columns.find((one) => one.name === 'seen')?.clickhouseType).toBe("Array(DateTime64(3, 'UTC'))");
  });
});

describe('features', () => {
  test('windows, hops and decimals', () => {
    expect(
      plan.entities[0]!.features.map((one) => [one.name, one.aggregate, one.windowMs, one.hopMs, one.decimals]),
    ).toEqual([
      ['digs_1m', 'count', 60_000, 2_000, 0],
      ['digs_5m', 'count', 300_000, 10_000, 0],
      ['depth', 'avg', 3_600_000, 120_000, 2],
      ['points', 'sum', 600_000, 60_000, 0],
      ['last_lat', 'previous', 0, 0, -1],
      ['quiet', 'time_since_last', 0, 0, 0],
    ]);
  });

  test('default hops', () => {
    const hops = ['240ms', '1s', '30s', '1m', '5m', '10m', '1h', '24h', '7d', '30d', '1ms', '170ms'].map((text) =>
      defaultHopMs(durationMs(text)),
    );
    expect(hops).toEqual([10, 20, 1000, 2000, 10_000, 15_000, 120_000, 3_600_000, 21_600_000, 86_400_000, null, null]);
  });

  test('units', () => {
    expect([countOf('2M'), countOf('100k'), countOf('7'), countOf(12)]).toEqual([2_000_000, 100_000, 7, 12]);
    expect(['0s', '90s', '2m', '36h', '2d', '250ms'].map((text) => durationText(durationMs(text)))).toEqual([
      '0s',
      '90s',
      '2m',
      '36h',
      '2d',
      '250ms',
    ]);
  });
});

describe('expressions', () => {
  const when = (text: string): Expression =>
    compileText(changed("'player.digs_5m > 120'", JSON.stringify(text))).plan.decisions[0]!.rules[0]!.when;
  const show = (e: Expression): string => {
    if (e.node === 'constant') return `${e.exact ?? JSON.stringify(e.value)}`;
    if (e.node === 'column') return plan.columns[e.column]!.name;
    return `${e.operator}:${e.type}(${e.operands.map(show).join(' ')})`;
  };

  const cases: [string, string][] = [
    ["event.type == 'dig'", 'eq:bool(action 1)'],
    ["'find' != event.type", 'ne:bool(2 action)'],
    ["event.type in ['dig', 'shout']", 'in:bool(action 1 3)'],
    ['has(event.find)', 'eq:bool(action 2)'],
    ["event.rarity == 'LEGENDARY'", 'eq:bool(rarity 7)'],
    ["event.country == 'DE'", 'eq:bool(country "DE")'],
    ['101 in event.tags', 'in:bool(101 tags)'],
    ['has(event.tags) && !event.vip', 'and:bool(has:bool(tags) not:bool(vip))'],
    ['event.level / 2 * 3 > 1', 'gt:bool(mul:int(div:int(level 2) 3) 1)'],
    ['event.level + event.lat > 1', 'gt:bool(add:double(level lat) 1)'],
    ['ratio(event.level, 3) > 0.5', 'gt:bool(ratio:double(level 3) 0.5)'],
    ['event.wide == 18446744073709551615', 'eq:bool(wide 18446744073709551615)'],
    ['event.wide > -9223372036854775808', 'gt:bool(wide -9223372036854775808)'],
    ['event.level == -5 || event.level == 0x10', 'or:bool(eq:bool(level -5) eq:bool(level 16))'],
    ['-event.level < 5u', 'lt:bool(neg:int(level) 5)'],
    ['(event.vip ? event.level : event.lat) >= 1.5', 'ge:bool(conditional:double(vip level lat) 1.5)'],
    ["event.shout == 'a' || event.shout in ['b', 'c']", 'or:bool(eq:bool(shout "a") in:bool(shout "b" "c"))'],
    ['event.event_time > 1700000000000', 'gt:bool(event_time 1700000000000)'],
    ['player.digs_5m > 3 && hunt.finders < 2', 'and:bool(gt:bool(player_digs_5m 3) lt:bool(hunt_finders 2))'],
  ];
  test.each(cases)('%s', (text, expected) => {
    expect(show(when(text))).toBe(expected);
  });

  test('keys: fields, lists, calculated', () => {
    const keyed = (key: string) => compileText(changed('key: event.hunt_id', `key: ${key}`)).plan.entities[1]!;
    expect(keyed('[event.hunt_id, event.country]').key.map(show)).toEqual(['hunt_id', 'country']);
    expect(keyed('[event.hunt_id, event.country]').keyTexts).toEqual(['event.hunt_id', 'event.country']);
    expect(keyed('"event.vip ? event.hunt_id : event.player_id"').key.map(show)).toEqual([
      'conditional:int(vip hunt_id player_id)',
    ]);
    expect(keyed('event.hunt_id / 100').key.map(show)).toEqual(['div:int(hunt_id 100)']);
  });
});

describe('around the plan', () => {
  test('the version is that of the content', () => {
    expect(compileText(PIPELINE).plan.version).toBe(plan.version);
    expect(plan.version).toMatch(/^[0-9a-f]{16}$/);
    expect(plan.versionNumber).toBe(Number.parseInt(plan.version.slice(0, 8), 16));
    const others = [
      compileText(`${PIPELINE}# x\n`),
      compileText(PIPELINE, { ...FILES, 'parts.proto': `${FILES['parts.proto']}// x\n` }),
    ];
    expect(new Set([plan.version, ...others.map((other) => other.plan.version)]).size).toBe(3);
  });

  test('the plan is plain data', () => {
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test('import map', () => {
    const { importMap } = compileText(
      changed('  fields:', '  import: { player_id: user, dig.depth: how_deep }\n  fields:'),
    );
    expect(importMap).toEqual({ player_id: 'user', 'dig.depth': 'how_deep' });
  });

  test('tests are checked against decisions and features', () => {
    const tests = (expectation: string): string =>
      `${PIPELINE}tests:\n  - { name: one, events: e.ndjson, expect: [${expectation}] }\n`;
    expect(
      compileText(
        tests(
          '{ at: e1, decision: { trust: allow }, rule: digger, features: { player.digs_1m: 2, player.quiet: null } }',
        ),
      ).tests,
    ).toEqual([
      {
        name: 'one',
        events: 'e.ndjson',
        line: 31,
        expect: [
          {
            at: 'e1',
            decision: { trust: 'allow' },
            rule: 'digger',
            experiment: {},
            features: { 'player.digs_1m': 2, 'player.quiet': null },
            line: 31,
          },
        ],
      },
    ]);
    expect(problemsOf(tests('{ at: e1, decision: { trus: allow } }'))[0]).toMatchObject({
      message: 'unknown decision: trus',
      suggestion: 'trust',
    });
    expect(problemsOf(tests('{ at: e1, decision: { trust: alow } }'))[0]).toMatchObject({
      message: 'unknown action: alow',
      suggestion: 'allow',
    });
    expect(problemsOf(tests('{ at: e1, decision: { trust: allow }, rule: diger }'))[0]).toMatchObject({
      suggestion: 'digger',
    });
    expect(problemsOf(tests('{ at: e1, features: { player.digs: 1 } }'))[0]).toMatchObject({
      message: 'unknown feature: player.digs',
    });
  });

  test('the JSON Schema knows the keys', () => {
    const schema = pipelineJsonSchema() as {
      properties: Record<string, unknown>;
      additionalProperties: boolean;
      required: string[];
    };
    expect(Object.keys(schema.properties)).toContain('decisions');
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toEqual(['format', 'pipeline', 'events', 'entities']);
    expect(JSON.stringify(schema)).toContain('time_since_last');
  });
});

describe('the example game', () => {
  test('has the load test’s features and decisions, and entities of a few hundred bytes', async () => {
    const game = await loadPipelineFile(defaultPipeline());
    const windowed = game.plan.entities.flatMap((entity) => entity.features.filter((feature) => feature.windowMs > 0));
    expect(windowed.length).toBeGreaterThanOrEqual(10);
    expect(game.plan.entities.map(({ name, max }) => [name, max])).toEqual([
      ['player', 2_000_000],
      ['hunt', 100_000],
    ]);
    expect(game.plan.decisions.map(({ name, actions }) => [name, actions])).toEqual([
      ['assistance', ['hint', 'continue']],
      ['trust', ['allow', 'challenge']],
    ]);
    expect(layOutRecord(game.plan.entities[0]!).rowBytes).toBeLessThan(1024);
    expect(game.tests).toHaveLength(3);
  });
});
