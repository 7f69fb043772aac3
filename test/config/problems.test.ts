/** What a wrong pipeline says: every case names the message, the suggestion, and by a mark ^ the line and column. */

import { describe, expect, test } from 'vitest';
import { problemText } from '../../src/config/problems.ts';
import { changed, PIPELINE, problemsOf } from './pipelines.ts';

const MARK = '^';
const WHEN = "'player.digs_5m > 120'";

interface Case {
  readonly from: string;
  /** With the mark where the problem should stand. */
  readonly to: string;
  readonly message: RegExp;
  readonly suggestion?: string;
}

function rule(to: string, message: RegExp, suggestion?: string): Case {
  return { from: WHEN, to, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

const names: Case[] = [
  rule("'player.digs_1m > 2 && ^player.digz_5m > 120'", /unknown feature: player.digz_5m/, 'player.digs_5m'),
  rule("'^plaier.digs_5m > 120'", /unknown name: plaier.digs_5m/, 'player.digs_5m'),
  rule("'^player.digs > 120'", /unknown feature: player.digs/, 'player.digs_1m'),
  rule("'^event.dig.dept > 1.0'", /unknown field: event.dig.dept/, 'event.dig.depth'),
  rule("'^find.points > 1'", /unknown name: find.points/, 'event.find.points'),
  rule("'^event.dig > 1'", /is a message/),
  rule("'1 < ^event.scores'", /not supported yet: reading a map/),
  rule('"event.type == ^\'digg\'"', /event.type is never 'digg'; it is one of 'dig', 'find', 'shout'/, 'dig'),
  rule("\"event.rarity in ['RARE', ^'LEGEND']\"", /game.v1.Rarity is never 'LEGEND'/, 'LEGENDARY'),
  rule('"event.rarity == ^7"', /compares with one of its names/),
  rule("'^derived.speed > 1.0'", /unknown derived value: derived.speed/),
  rule("'^model.cheat > 0.9'", /unknown model: model\.cheat/),
  rule("'event.country in ^list.vips'", /unknown list: list.vips/),
];

const types: Case[] = [
  rule("'^event.country + 1 > 2'", /a number is needed here, this is a string/),
  rule("'^event.vip > true'", /true and false have no order/),
  rule("'^event.level == true'", /an integer does not compare with true or false/),
  rule("'true && ^event.level'", /a condition is needed here, this is an integer/),
  rule("'^event.level'", /a condition is needed here/),
  rule("'^event.dig.depth % 2 > 1'", /% is for integers/),
  rule("'event.country == ^event.blob'".replace('^', ''), /a string does not compare with bytes/),
  rule("'^event.tags == 1'", /stands only on the right of in/),
  rule("'1.5 in ^event.tags'", /never in a list of integers/),
  rule("'event.level in ^[]'", /nothing is in an empty list/),
  rule("'event.level in [1, ^event.level]'", /holds constants/),
  rule('\'event.level in [1, ^"x"]\'', /an integer is never a string/),
  rule('\'^event.vip ? 1 : "x"\'', /both branches must be alike/),
  rule("'event.level == ^null'", /null is no value/),
  rule("'event.wide + ^9223372036854775807 > 1'", /beyond 2\^53 can be compared, not calculated with/),
  rule("'event.wide == ^99999999999999999999999'", /must fit 64 bits/),
  rule("'event.lat > ^1e999'", /Invalid number/),
  rule('\'^event.rarity < "RARE"\'', /names have no order/),
];

const syntax: Case[] = [
  rule("'player.digs_5m >^ '", /not an expression: Unexpected token: EOF/),
  rule("'player.digs_5m >^> 120'", /not an expression/),
  rule("'player.digs_5m ^~ 120'", /not an expression: Unexpected character: ~/),
  rule("'(player.digs_5m > 1^'", /not an expression/),
  rule('"event.country == ^\'abc"', /Unterminated string/),
  rule("'^ration(1, 2) > 0.5'", /unknown function: ration\(\)/, 'ratio'),
  rule("'^ratio(1) > 0.5'", /ratio takes two numbers/),
  rule("'^has(1 + 2)'", /has takes one field/),
  rule("'event.lat > 1.0 && ^event.tags.map(x, x)'", /not supported yet: function map\(\)/),
  rule("'^event.tags[0] > 1'", /not supported yet: maps and indices/),
  {
    from: `- { id: digger, when: ${WHEN}, then: challenge }`,
    to: '- id: digger\n        then: allow\n        when: >-\n          player.digs_1m > 3 &&\n          ^player.digz_5m > 120',
    message: /unknown feature: player.digz_5m/,
    suggestion: 'player.digs_5m',
  },
  {
    from: `- { id: digger, when: ${WHEN}, then: challenge }`,
    to: '- id: digger\n        then: allow\n        when: |\n          player.digs_1m > 3 &&\n            player.digs_5m > 120 &&\n\n          ^player.digz_5m > 120',
    message: /unknown feature: player.digz_5m/,
    suggestion: 'player.digs_5m',
  },
  {
    from: `- { id: digger, when: ${WHEN}, then: challenge }`,
    to: '- id: digger\n        then: allow\n        when: player.digs_1m > 3 &&\n          ^player.digz_5m > 120',
    message: /unknown feature: player.digz_5m/,
    suggestion: 'player.digs_5m',
  },
  rule('"event.country == \'\\u00e4\' || ^player.nope > 1"', /unknown feature: player.nope/),
  rule("'event.country == ''x'' || ^player.nope > 1'", /unknown feature: player.nope/),
];

const functions: Case[] = [
  rule("'^geo.distance(event.lat, 1.0) > 1.0'", /geo.distance takes two points in degrees/),
  rule("'geo.distance(event.lat, ^event.country, 1.0, 1.0) > 1.0'", /a number is needed here, this is a string/),
  rule("'geo.tile(event.lat, event.lat, ^13) == event.country'", /a tile is a number from 1 to 12/),
  rule("'geo.tile(event.lat, event.lat, ^event.level) == event.country'", /a tile is a number from 1 to 12/),
  rule("'^geo.tle(event.lat, event.lat, 6) == event.country'", /unknown function: geo.tle/, 'geo.tile'),
  rule("'^sizee(event.country) > 1'", /unknown function: sizee\(\)/, 'size'),
  rule("'size(^event.level) > 1'", /size is of a text, bytes or a repeated field, this is an integer/),
  rule("'^size() > 1'", /size takes a text/),
  rule("'^event.level.startsWith(event.country)'", /a text is needed here, this is an integer/),
  rule("'^event.type.startsWith(event.country)'", /a text is needed here, this is one of the names of event.type/),
  rule("'event.shout.contains(^event.country)'", /contains takes a text in quotes/),
  rule("'event.shout.matches(^event.country)'", /a pattern is a text in quotes/),
  rule('\'event.shout.matches(^"a(")\'', /not a pattern, at its character 2: a \( without its \)/),
  rule('"event.shout.matches(^r\'(a)\\\\1\')"', /not supported: \\1 \(back-references\)/),
  rule('\'event.shout.matches(^"(?=a)")\'', /look-around, flags and names of groups/),
  rule('\'event.shout.matches(^"(a|b)*a(a|b){20}")\'', /too complicated/),
  rule("'^abs() > 1'", /abs takes one number/),
  rule("'^min(1) > 1'", /min takes two numbers or more/),
  rule("'min(1, ^event.country) > 1'", /a number is needed here/),
  rule("'int(^event.time) > 1'", /a time counts in milliseconds already/),
  rule("'hash(^event.type) > 1'", /this is one of the names of event.type/),
  rule("'hash(^event.tags) > 1'", /this is a list/),
  rule('\'event.level > duration(^"5 m")\'', /no duration: write/),
  rule("'event.level > ^duration(5)'", /duration takes a text/),
  rule('\'event.time > timestamp(^"2024-02-30T00:00:00Z")\'', /no time: write it as/),
  rule('\'event.time > timestamp(^"yesterday")\'', /no time: write it as/),
  rule("'^event.level.getHours() > 1'", /getHours is for times, this is an integer/),
  rule('\'event.time.getHours(^"Europe/Berlni") > 1\'', /unknown time zone/, 'Europe/Berlin'),
  rule("'event.time.getHours(^1) > 1'", /a time zone is a name in quotes/),
  rule("'^event.time.getHour() > 1'", /unknown function: getHour\(\)/, 'getHours'),
  rule("'^list.vips == 1'", /a list stands only on the right of in/),
];

const shapes: Case[] = [
  { from: 'pipeline: small', to: 'pipeline: small\n^ownr: x', message: /unknown key: ownr/, suggestion: 'owner' },
  { from: 'format: 1', to: 'format: ^2', message: /format must be 1/ },
  { from: 'pipeline: small\n', to: '', message: /pipeline is missing/ },
  { from: 'max: 2M', to: 'max: ^2G', message: /write a count/ },
  { from: 'ttl: 30d', to: 'ttl: ^30', message: /must be text/ },
  { from: 'ttl: 30d', to: 'ttl: ^30 days', message: /write a duration/ },
  { from: 'ttl: 30d', to: 'ttl: ^0s', message: /ttl must be longer/ },
  { from: 'primary: true', to: 'primary: ^yes', message: /must be true or false/ },
  { from: 'primary: true, ', to: '', message: /one entity must be primary/ },
  { from: 'max: 100k', to: 'primary: ^true, max: 100k', message: /only one entity can be primary/ },
  { from: 'agg: avg', to: 'agg: ^average', message: /agg must be count, rate, sum, avg/ },
  { from: 'agg: avg', to: 'agg: ^cuont', message: /agg must be/, suggestion: 'count' },
  { from: 'default: allow', to: 'default: ^alow', message: /unknown action: alow/, suggestion: 'allow' },
  { from: 'then: challenge', to: 'then: ^chalenge', message: /unknown action: chalenge/, suggestion: 'challenge' },
  { from: '[allow, challenge]', to: '[allow, challenge, ^allow]', message: /action allow is there twice/ },
  { from: 'id: digger', to: 'id: ^default', message: /cannot be called default/ },
  { from: 'proto: events.proto', to: 'proto: ^event.proto', message: /no such file: event.proto/ },
  { from: 'game.v1.Event', to: '^game.v1.Evnt', message: /no such message/, suggestion: 'game.v1.Event' },
  { from: 'type: action', to: 'type: ^acton', message: /has no oneof acton; it has: action/ },
  { from: 'id: event_id', to: 'id: ^event_ids', message: /unknown field/, suggestion: 'event_id' },
  { from: 'id: event_id', to: 'id: ^lat', message: /lat must be a string or an integer/ },
  { from: 'time: event_time', to: 'time: ^country', message: /country must be a google.protobuf.Timestamp/ },
  { from: 'dig.depth: {', to: '^dig.deep: {', message: /unknown field: dig.deep/ },
  { from: '  fields:', to: '  fields:\n    level: { ^decimals: 2 }', message: /level is no fractional number/ },
  { from: '  fields:', to: '  fields:\n    level: { ^dictionary: true }', message: /level is no string/ },
  { from: '  player:\n    digs', to: '  ^plyer:\n    digs', message: /unknown entity: plyer/, suggestion: 'player' },
  {
    from: 'entities:\n',
    to: 'entities:\n  ^event: { key: event.level, max: 1, ttl: 1d }\n',
    message: /cannot be called event/,
  },
  {
    from: '[allow, challenge]\n    rules:',
    to: '[allow, challenge]\n    rules:\n      - ^x',
    message: /must be a map of keys/,
  },
];

const meanings: Case[] = [
  {
    from: 'of: event.dig.depth',
    to: 'of: ^event.lat',
    message: /fractional input needs its decimals: write events.fields: \{ lat: \{ decimals: 2 \} \}$/,
  },
  { from: 'of: event.dig.depth', to: 'of: ^event.dig.depth * 2.0', message: /write decimals: 2 in this feature$/ },
  { from: ', exact: false', to: '', message: /or exact: false here/ },
  { from: 'agg: avg', to: 'agg: avg, delay: ^7s', message: /a delay must be a multiple of the hop/ },
  { from: 'agg: avg', to: 'agg: avg, ^half_life: 1m', message: /a half_life is for ewma/ },
  { from: 'agg: avg', to: 'agg: avg, ^cap: 3', message: /a cap is for count_distinct/ },
  { from: 'depth: { agg: avg', to: '^depth: { agg: ewma', message: /ewma needs a half_life/ },
  { from: 'quiet: { agg: time_since_last', to: '^quiet: { agg: rate', message: /rate needs a window/ },
  {
    from: 'quiet: { agg: time_since_last',
    to: 'quiet: { agg: time_since_last, ^window: { session: 1m }',
    message: /in no session or calendar/,
  },
  {
    from: 'agg: previous, of: event.lat, exact: false',
    to: 'agg: sum, of: event.lat, exact: ^false',
    message: /is for first and last and previous only/,
  },
  { from: 'of: event.find.points', to: 'of: ^event.event_id', message: /sum needs a number, this is a string/ },
  {
    from: 'of: event.find.points',
    to: 'of: ^event.rarity',
    message: /sum needs a number, this is a name of game.v1.Rarity/,
  },
  { from: 'of: event.find.points', to: 'of: ^event.event_time', message: /sum of times means nothing/ },
  { from: 'of: event.find.points', to: 'of: ^player.quiet', message: /features cannot be read here/ },
  { from: 'agg: time_since_last', to: 'agg: time_since_last, ^of: event.lat', message: /has no input/ },
  { from: 'of: event.find.points, ', to: '', message: /sum needs an input/ },
  { from: 'window: 10m, hop: 1m', to: 'window: 10m, hop: ^7m', message: /hop must divide the window 10m/ },
  { from: 'window: 10m, hop: 1m', to: 'window: ^170ms', message: /no hop divides 170ms into 24 or more; write hop/ },
  { from: 'window: 10m, hop: 1m', to: '^hop: 1m', message: /a hop needs a window/ },
  { from: 'window: 10m, hop: 1m', to: 'window: 30d, hop: ^1s', message: /makes 2592000 hops/ },
  { from: 'windows: [1m, 5m]', to: '^windows: [1m, 5m], window: 1h', message: /window or windows, not both/ },
  { from: 'windows: [1m, 5m]', to: 'windows: [1m, 1m]', message: /two columns would be called player_digs_1m/ },
  { from: '    quiet:', to: '    ^seq: { agg: count }\n    quiet:', message: /two columns would be called player_seq/ },
  { from: 'key: event.hunt_id', to: 'key: ^event.lat', message: /a key cannot be a fractional number/ },
  { from: 'key: event.hunt_id', to: `key: "^'x'"`, message: /a key must depend on the event/ },
  {
    from: 'key: event.hunt_id',
    to: 'key: [event.hunt_id, ^event.huntid]',
    message: /unknown field: event.huntid/,
    suggestion: 'event.hunt_id',
  },
  {
    from: 'key: event.hunt_id',
    to: 'key: "^event.vip ? event.lat : 1.0"',
    message: /a key cannot be a fractional number/,
  },
];

const later: Case[] = [
  { from: '  time: event_time\n', to: '  time: event_time\n  ^labels: {}\n', message: /not supported yet: labels/ },
];

const yaml: Case[] = [
  { from: 'pipeline: small', to: 'pipeline: small\n^pipeline: small', message: /not YAML: this key stands here twice/ },
  { from: 'pipeline: small', to: 'pipeline: small\n^1: x', message: /a key must be a plain name/ },
  { from: 'pipeline: small', to: 'pipeline: small\n^__proto__: x', message: /a key must be a plain name/ },
  { from: 'pipeline: small', to: 'pipeline: ^*small', message: /unknown alias: small/ },
];

function check({ from, to, message, suggestion }: Case): void {
  const marked = changed(from, to);
  const text = to.includes(MARK) ? marked.replace(MARK, '') : marked;
  const problems = problemsOf(text);
  const found = problems.find((problem) => message.test(problem.message));
  expect(found, `problems: ${problems.map((problem) => problemText('', problem)).join('\n')}`).toBeDefined();
  expect(found!.suggestion).toBe(suggestion);
  if (!to.includes(MARK)) return;
  const before = marked.slice(0, marked.indexOf(MARK)).split('\n');
  expect({ line: found!.line, column: found!.column }).toEqual({
    line: before.length,
    column: before.at(-1)!.length + 1,
  });
}

test('the pipeline that the cases change is right', () => {
  expect(problemsOf(PIPELINE)).toEqual([]);
});

describe.each(Object.entries({ names, types, syntax, functions, shapes, meanings, later, yaml }))('%s', (_, cases) => {
  test.each(cases.map((one) => [`${one.from.split('\n')[0]} -> ${one.to.trim().split('\n')[0]}`, one] as const))(
    '%s',
    (_name, one) => check(one),
  );
});

test('all problems come at once, in the order of the file', () => {
  const text = changed(
    WHEN,
    "'player.digz_5m > 120 && event.levl > 1'",
    changed('of: event.dig.depth', 'of: event.lat'),
  );
  expect(problemsOf(text).map((problem) => problemText('p.yaml', problem))).toEqual([
    'p.yaml:18:28 a fractional input needs its decimals: write events.fields: { lat: { decimals: 2 } }',
    'p.yaml:28:30 unknown feature: player.digz_5m (did you mean player.digs_5m?)',
    'p.yaml:28:54 unknown field: event.levl (did you mean event.level?)',
  ]);
});
