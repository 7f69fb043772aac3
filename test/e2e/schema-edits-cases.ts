/** Edits of a .proto and its pipeline, each with how it must be classed. Used by schema-edits.test.ts. */

import type { EditClass } from '../../src/config/index.ts';

export const SCHEMA = `syntax = "proto3";
package game.v1;
import "google/protobuf/timestamp.proto";
message Event {
  string event_id = 1;
  uint64 player_id = 2;
  reserved 3;
  google.protobuf.Timestamp event_time = 4;
  optional double lat = 5;
  string country = 6;
  Rarity rarity = 7;
  bool vip = 8;
  repeated int32 tags = 9;
  map<string, int32> scores = 10;
  uint32 wide = 11;
  bytes blob = 12;
  int32 level = 13;
  float speed = 14;
  sint32 delta = 15;
  optional string note = 16;
  int64 big = 17;
  Place place = 18;
  string team = 19;
  oneof action { Dig dig = 20; Find find = 21; string shout = 22; }
  oneof extra { int32 gold = 25; string gem = 26; }
}
enum Rarity { COMMON = 0; RARE = 1; LEGENDARY = 7; }
message Place { string name = 1; double height = 2; optional int32 rooms = 3; }
message Dig { double depth = 1; int32 tries = 2; }
message Find { uint32 points = 1; }
`;

export const PIPELINE = `format: 1
pipeline: edits
events:
  proto: events.proto
  message: game.v1.Event
  type: action
  id: event_id
  time: event_time
  fields:
    country: { dictionary: true }
entities:
  player: { key: event.player_id, primary: true, max: 1k, ttl: 30d }
features:
  player:
    digs: { agg: count, where: "event.type == 'dig'", window: 5m }
    levels: { agg: sum, of: event.level, window: 1h }
    tries: { agg: sum, of: event.dig.tries, window: 1h }
decisions:
  trust:
    actions: [allow, challenge]
    rules:
      - { id: digger, when: 'player.digs > 120', then: challenge }
    default: allow
`;

export interface SchemaEdit {
  readonly name: string;
  /** Texts of the .proto and what stands there afterwards. */
  readonly schema?: readonly (readonly [string, string])[];
  readonly pipeline?: readonly (readonly [string, string])[];
  readonly class: EditClass;
  /** Must be among the edits, as `class path: text`; null: there is none at all. */
  readonly says: RegExp | null;
}

export const PASSING: readonly SchemaEdit[] = [
  {
    name: 'field added',
    schema: [['  string team', '  double luck = 30;\n  string team']],
    class: 'safe',
    says: /event.luck: field added \(double\)/,
  },
  {
    name: 'optional field added',
    schema: [['  string team', '  optional uint64 luck = 30;\n  string team']],
    class: 'safe',
    says: /event.luck: field added/,
  },
  {
    name: 'repeated field and map added',
    schema: [['  string team', '  repeated string names = 30;\n  map<string, double> sums = 31;\n  string team']],
    class: 'safe',
    says: /event.names: field added \(repeated string\)/,
  },
  {
    name: 'nested message added',
    schema: [['  string team', '  Place home = 30;\n  string team']],
    class: 'safe',
    says: /event.home: field added/,
  },
  {
    name: 'field of a nested message added',
    schema: [['optional int32 rooms = 3;', 'optional int32 rooms = 3; bool open = 4;']],
    class: 'safe',
    says: /event.place.open: field added/,
  },
  {
    name: 'field of a branch added',
    schema: [['int32 tries = 2;', 'int32 tries = 2; string tool = 3;']],
    class: 'safe',
    says: /event.dig.tool: field added/,
  },
  {
    name: 'branch added in front of the others',
    schema: [['{ Dig dig', '{ string hint = 23; Dig dig']],
    class: 'safe',
    says: /event.hint: branch added/,
  },
  {
    name: 'oneof of new fields added',
    schema: [['  oneof extra', '  oneof more { int32 a = 30; string b = 31; }\n  oneof extra']],
    class: 'safe',
    says: /event.a: field added/,
  },
  {
    name: 'enum value added',
    schema: [['RARE = 1;', 'RARE = 1; EPIC = 2;']],
    class: 'safe',
    says: /event.rarity: enum value EPIC added/,
  },
  {
    name: 'field added with a feature on it',
    schema: [['  string team', '  double luck = 30;\n  string team']],
    pipeline: [['    levels:', '    luck: { agg: max, of: event.luck, window: 1h, decimals: 2 }\n    levels:']],
    class: 'backfill',
    says: /backfill player.luck: new feature: computed from stored rows, which have none of luck/,
  },
  {
    name: 'int32 widened, a feature reads it',
    schema: [['int32 level', 'int64 level']],
    class: 'backfill',
    says: /backfill event.level: int32 becomes int64.*computed anew from stored rows: player.levels/,
  },
  {
    name: 'int32 of a branch widened, a feature reads it',
    schema: [['int32 tries', 'int64 tries']],
    class: 'backfill',
    says: /backfill player.tries: it reads dig_tries, of another type now/,
  },
  {
    name: 'uint32 widened to uint64',
    schema: [['uint32 wide', 'uint64 wide']],
    class: 'safe',
    says: /safe event.wide: uint32 becomes uint64/,
  },
  {
    name: 'uint32 widened to int64',
    schema: [['uint32 wide', 'int64 wide']],
    class: 'safe',
    says: /safe event.wide: uint32 becomes int64/,
  },
  {
    name: 'sint32 widened',
    schema: [['sint32 delta', 'sint64 delta']],
    class: 'safe',
    says: /event.delta: sint32 becomes sint64/,
  },
  {
    name: 'bool widened',
    schema: [['bool vip', 'int32 vip']],
    class: 'safe',
    says: /event.vip: bool becomes int32.*producers of JSON write 0 and 1/,
  },
  {
    name: 'optional int32 of a nested message widened',
    schema: [['optional int32 rooms', 'optional int64 rooms']],
    class: 'safe',
    says: /event.place.rooms: int32 becomes int64/,
  },
  {
    name: 'elements of a list widened',
    schema: [['repeated int32', 'repeated int64']],
    class: 'safe',
    says: /event.tags: int32 becomes int64|repeated int32 becomes repeated int64/,
  },
  {
    name: 'values of a map widened',
    schema: [['map<string, int32>', 'map<string, int64>']],
    class: 'safe',
    says: /event.scores: map<string, int32> becomes map<string, int64>/,
  },
  {
    name: 'optional added',
    schema: [['string team', 'optional string team']],
    class: 'safe',
    says: /event.team: optional added: absence is NULL/,
  },
  {
    name: 'field renamed',
    schema: [['string team', 'string crew']],
    class: 'safe',
    says: /event.crew: renamed from team/,
  },
  {
    name: 'field that a feature reads renamed',
    schema: [['int32 level', 'int32 grade']],
    pipeline: [['event.level', 'event.grade']],
    class: 'safe',
    says: /event.grade: renamed from level/,
  },
  {
    name: 'nested message renamed',
    schema: [['Place place', 'Place spot']],
    class: 'safe',
    says: /event.spot: renamed from place: its columns keep/,
  },
  {
    name: 'field of a branch renamed',
    schema: [['double depth', 'double metres']],
    class: 'safe',
    says: /event.dig.metres: renamed from depth/,
  },
  {
    name: 'key renamed, by which the table is sorted',
    schema: [['uint64 player_id', 'uint64 user_id']],
    pipeline: [['event.player_id', 'event.user_id']],
    class: 'safe',
    says: /event.user_id: renamed from player_id/,
  },
  {
    name: 'dictionary field renamed',
    schema: [['string country', 'string land']],
    pipeline: [['country: {', 'land: {']],
    class: 'safe',
    says: /event.land: renamed from country/,
  },
  {
    name: 'renamed and widened, a feature reads it',
    schema: [['int32 level', 'int64 grade']],
    pipeline: [['event.level', 'event.grade']],
    class: 'backfill',
    says: /backfill event.grade: int32 becomes int64/,
  },
  {
    name: 'type oneof renamed',
    schema: [['oneof action', 'oneof kind']],
    pipeline: [['type: action', 'type: kind']],
    class: 'safe',
    says: /events.type: oneof renamed from action/,
  },
  {
    name: 'message renamed',
    schema: [['message Event', 'message GameEvent']],
    pipeline: [['game.v1.Event', 'game.v1.GameEvent']],
    class: 'safe',
    says: /events.message: message renamed/,
  },
  {
    name: 'field deprecated',
    schema: [['string team = 19;', 'string team = 19 [deprecated = true];']],
    class: 'safe',
    says: /event.team: field deprecated/,
  },
  {
    name: 'comment changed, fields in another order',
    schema: [
      ['  string team = 19;\n', ''],
      ['  string event_id', '  // Who plays with whom.\n  string team = 19;\n  string event_id'],
    ],
    class: 'safe',
    says: null,
  },
  {
    name: 'field removed, number reserved',
    schema: [['string team = 19;', 'reserved 19;']],
    class: 'safe',
    says: /event.team: field removed, its number 19 reserved/,
  },
  {
    name: 'nested message removed, number reserved',
    schema: [['Place place = 18;', 'reserved 18;']],
    class: 'safe',
    says: /event.place: field removed/,
  },
  {
    name: 'branch removed, number reserved',
    schema: [
      ['string shout = 22; ', ''],
      ['reserved 3;', 'reserved 3, 22;'],
    ],
    class: 'safe',
    says: /event.shout: branch removed, its number 22 reserved/,
  },
  {
    name: 'enum value removed, number reserved',
    schema: [['RARE = 1;', 'reserved 1;']],
    class: 'safe',
    says: /event.rarity: enum value RARE removed, its number 1 reserved/,
  },
  {
    name: 'field moved into a oneof of its own',
    schema: [['  string team = 19;', '  oneof side { string team = 19; string none = 30; }']],
    class: 'safe',
    says: /event.team: moved into a oneof of its own/,
  },
  {
    name: 'field moved out of its oneof, optional',
    schema: [
      ['int32 gold = 25; ', ''],
      ['  string team', '  optional int32 gold = 25;\n  string team'],
    ],
    class: 'safe',
    says: /event.gold: moved out of its oneof/,
  },
  {
    name: 'string stored as a dictionary from now on',
    pipeline: [['  fields:\n', '  fields:\n    team: { dictionary: true }\n']],
    class: 'safe',
    says: /events.fields.team: stored as a dictionary/,
  },
  {
    name: 'dictionary stored as strings from now on',
    pipeline: [['  fields:\n    country: { dictionary: true }\n', '']],
    class: 'safe',
    says: /events.fields.country: stored as strings/,
  },
  {
    name: 'feature renamed',
    pipeline: [
      ['    digs:', '    spades:'],
      ['player.digs', 'player.spades'],
    ],
    class: 'safe',
    says: /player.spades: same definition as digs/,
  },
  {
    name: 'feature of wider values under the same name',
    pipeline: [['digs: { agg: count,', 'digs: { agg: rate,']],
    class: 'backfill',
    says: /player.digs: another definition/,
  },
];

const RETYPES: readonly (readonly [string, string, string, RegExp])[] = [
  ['string becomes int32', 'string team', 'int32 team', /string cannot be read as int32/],
  ['int32 becomes string', 'int32 level', 'string level', /int32 cannot be read as string/],
  ['string becomes bytes', 'string team', 'bytes team', /string cannot be read as bytes/],
  [
    'double becomes float',
    'optional double lat',
    'optional float lat',
    /double is eight bytes as a double on the wire, float is four bytes/,
  ],
  [
    'float becomes double',
    'float speed',
    'double speed',
    /float is four bytes as a float on the wire, double is eight/,
  ],
  ['double becomes int32', 'optional double lat', 'optional int32 lat', /on the wire, int32 is a varint/],
  ['int64 becomes int32', 'int64 big', 'int32 big', /int64 is wider than int32: stored values would not fit/],
  ['int32 becomes sint32', 'int32 level', 'sint32 level', /int32 is a varint on the wire, sint32 is a zigzag varint/],
  ['int32 becomes fixed32', 'int32 level', 'fixed32 level', /on the wire, fixed32 is four bytes/],
  ['int32 becomes uint64', 'int32 level', 'uint64 level', /some values of int32 are others as uint64/],
  [
    'enum becomes int32',
    'Rarity rarity',
    'int32 rarity',
    /some values of enum are others as int32|enum cannot be read as int32/,
  ],
  ['one value becomes a list', 'string team', 'repeated string team', /stored rows hold one value/],
  ['a list becomes one value', 'repeated int32 tags', 'int32 tags', /stored rows hold a list/],
  ['a scalar becomes a map', 'string team', 'map<string, string> team', /string cannot become map<string, string>/],
  ['a message becomes a scalar', 'Place place', 'string place', /stored rows hold a message/],
  ['values of a map narrowed', 'map<string, int32> scores', 'map<string, bool> scores', /int32 is wider than bool/],
  [
    'time becomes a number',
    'google.protobuf.Timestamp event_time',
    'int64 event_time',
    /timestamp cannot be read as int64/,
  ],
  ['key retyped', 'uint64 player_id', 'int64 player_id', /some values of uint64 are others as int64/],
];

export const REFUSED: readonly SchemaEdit[] = [
  ...RETYPES.map(([name, from, to, says]): SchemaEdit => ({
    name,
    schema: [[from, to]],
    ...(from === 'int32 level' ? { pipeline: [['    levels: { agg: sum, of: event.level, window: 1h }\n', '']] } : {}),
    class: 'refused',
    says,
  })),
  {
    name: 'field removed',
    schema: [['  string team = 19;\n', '']],
    class: 'refused',
    says: /refused event.team: field removed.*write: reserved 19;/,
  },
  {
    name: 'branch removed',
    schema: [[' string shout = 22;', '']],
    class: 'refused',
    says: /refused event.shout: branch removed.*write: reserved 22;/,
  },
  {
    name: 'number changed',
    schema: [['string team = 19;', 'string team = 30;']],
    class: 'refused',
    says: /event.team: field changed its number from 19 to 30/,
  },
  {
    name: 'number used for another field',
    schema: [['string team = 19;', 'double luck = 19;']],
    class: 'refused',
    says: /event.luck: .*\(number 19 was team\)/,
  },
  {
    name: 'reserved number used',
    schema: [['reserved 3;', 'string fresh = 3;']],
    class: 'refused',
    says: /event.fresh: number 3 was reserved/,
  },
  {
    name: 'name of a removed field used',
    schema: [['string team = 19;', 'reserved 19; double team = 30;']],
    class: 'refused',
    says: /refused/,
  },
  {
    name: 'name of another column used',
    schema: [
      ['double height = 2;', 'reserved 2;'],
      ['  string team', '  string place_height = 30;\n  string team'],
    ],
    class: 'refused',
    says: /refused place_height: column place_height holds field 18.2 in stored rows/,
  },
  {
    name: 'enum value renamed',
    schema: [['RARE = 1;', 'SCARCE = 1;']],
    class: 'refused',
    says: /enum value 1 renamed from RARE to SCARCE/,
  },
  {
    name: 'enum value removed',
    schema: [['RARE = 1; ', '']],
    class: 'refused',
    says: /enum value RARE removed.*write in the enum: reserved 1;/,
  },
  {
    name: 'enum value renumbered',
    schema: [['RARE = 1;', 'RARE = 2;']],
    class: 'refused',
    says: /enum value RARE changed its number from 1 to 2/,
  },
  {
    name: 'branch renamed',
    schema: [['Find find', 'Find trove']],
    class: 'refused',
    says: /event.trove: branch renamed from find/,
  },
  {
    name: 'optional removed',
    schema: [['optional string note', 'string note']],
    class: 'refused',
    says: /event.note: optional removed/,
  },
  {
    name: 'moved into a oneof with others',
    schema: [
      ['  string team = 19;\n', ''],
      ['int32 gold = 25;', 'int32 gold = 25; string team = 19;'],
    ],
    class: 'refused',
    says: /event.team: now in one oneof with gold/,
  },
  {
    name: 'moved out of its oneof without optional',
    schema: [
      ['int32 gold = 25; ', ''],
      ['  string team', '  int32 gold = 25;\n  string team'],
    ],
    class: 'refused',
    says: /event.gold: moved out of its oneof: rows without it/,
  },
  {
    name: 'moved into the type oneof',
    schema: [
      ['  string team = 19;\n', ''],
      ['{ Dig dig', '{ string team = 19; Dig dig'],
    ],
    class: 'refused',
    says: /event.team: moved into the type oneof/,
  },
  {
    name: 'moved out of the type oneof',
    schema: [
      [' string shout = 22;', ''],
      ['  string team', '  optional string shout = 22;\n  string team'],
    ],
    class: 'refused',
    says: /event.shout: moved out of the type oneof/,
  },
  {
    name: 'another event id',
    pipeline: [['id: event_id', 'id: country']],
    class: 'refused',
    says: /events.id: event_id would become country/,
  },
  {
    name: 'another key',
    pipeline: [['key: event.player_id', 'key: event.team']],
    class: 'refused',
    says: /player: key changed from event.player_id to event.team/,
  },
  {
    name: 'branches share columns from now on',
    pipeline: [['  type: action\n', '  type: action\n  branch_columns: shared\n']],
    class: 'refused',
    says: /write events.branch_columns: own/,
  },
];

/** Of a pipeline whose branches share columns. */
export const SHARED: readonly SchemaEdit[] = [
  {
    name: 'shared: branch added',
    schema: [['{ Dig dig', '{ Find trove = 23; Dig dig']],
    class: 'safe',
    says: /event.trove: branch added/,
  },
  {
    name: 'shared: field of a branch added',
    schema: [['uint32 points = 1;', 'uint32 points = 1; int32 tries = 2;']],
    class: 'safe',
    says: /event.find.tries: field added/,
  },
  {
    name: 'shared: field of a branch renamed',
    schema: [['int32 tries', 'int32 strokes']],
    pipeline: [['event.dig.tries', 'event.dig.strokes']],
    class: 'safe',
    says: /event.dig.strokes: renamed from tries/,
  },
  {
    name: 'shared: field of a branch removed, number reserved',
    schema: [['double depth = 1;', 'reserved 1;']],
    class: 'safe',
    says: /event.dig.depth: field removed/,
  },
  {
    name: 'shared: field of a branch widened',
    schema: [['uint32 points', 'uint64 points']],
    class: 'refused',
    says: /event.find.points: a field whose column branches share cannot change its type/,
  },
];
