/** What names in .proto files mean, and where a mistake is said to stand. protoc.test.ts compares with protoc itself. */

import { describe, expect, test } from 'vitest';
import { loadProto, ProtoProblem } from '../../../src/config/proto/index.ts';
import { compileText, PIPELINE, readerOf } from '../pipelines.ts';
import { describeMessages } from './protoc.ts';

const HEAD = 'syntax = "proto3";\npackage shop.v1;\n';

/** Messages of a.proto, or the places and words of what is wrong. */
function read(files: Record<string, string>): Record<string, string[]> | readonly string[] {
  try {
    return describeMessages(loadProto('a.proto', readerOf(files)).messages);
  } catch (error) {
    if (!(error instanceof ProtoProblem)) throw error;
    return error.lines;
  }
}

const SHOP = `syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
enum Status { STATUS_UNSPECIFIED = 0; PAID = 1; REFUNDED = 2; }
message Money { int64 cents = 1; }
message Ev {
  message Login {
    enum Status { LOGIN_UNSPECIFIED = 0; LOGIN_OK = 1; }
    Status status = 1;
    message Money { string note = 1; }
    Money bonus = 2;
  }
  message Order { Status status = 1; Money price = 2; }
  string id = 1;
  string k = 2;
  google.protobuf.Timestamp at = 3;
  Login login = 4;
  Order order = 5;
}
`;

test('a type of the same name within a sibling message is not meant', () => {
  const pipeline = PIPELINE.replace('message: game.v1.Event', 'message: shop.v1.Ev')
    .replace('  type: action\n', '')
    .replace('id: event_id', 'id: id')
    .replace('time: event_time', 'time: at')
    .replace(/ {2}fields:[\s\S]*?entities:/, 'entities:')
    .replace(/entities:[\s\S]*/, 'entities: { k: { key: event.k, primary: true, max: 1k, ttl: 1d } }\n');
  const { columns, message } = compileText(
    `${pipeline}features: { k: { n: { agg: count } } }\ndecisions: { d: { actions: [y, n], rules: [ { id: r, when: 'k.n > 9', then: y } ], default: n } }\n`,
    { 'events.proto': SHOP },
  ).plan;
  const typeOf = (name: string): string | undefined => columns.find((one) => one.name === name)?.clickhouseType;
  const statusOf = (branch: string) =>
    message.fields.find(({ name }) => name === branch)?.message?.fields.find(({ name }) => name === 'status')
      ?.enumNames;
  expect(statusOf('order')).toContainEqual([1, 'PAID']);
  expect(statusOf('login')).toContainEqual([1, 'LOGIN_OK']);
  expect(typeOf('order_price_cents')).toBe('Nullable(Int64)');
  expect(typeOf('login_bonus_note')).toBe('Nullable(String)');
  expect(typeOf('order_price_note')).toBeUndefined();
});

describe('names across files', () => {
  const b = `${HEAD}import public "c.proto";\nmessage B { C c = 1; }`;
  const c = 'syntax = "proto3";\npackage shop.v1;\nmessage C { int32 n = 1; }';

  test('public imports are seen through, others are not', () => {
    const a = `${HEAD}import "b.proto";\nmessage A { B b = 1; C c = 2; }`;
    expect(read({ 'a.proto': a, 'b.proto': b, 'c.proto': c })).toMatchObject({
      'shop.v1.A': ['message .shop.v1.B b "b" = 1', 'message .shop.v1.C c "c" = 2'],
    });
    expect(read({ 'a.proto': a, 'b.proto': b.replace('public ', ''), 'c.proto': c })).toEqual([
      'a.proto:4:22 C is declared at c.proto:3:9, which is not imported',
    ]);
  });

  test('imports that are missing, doubled or in a circle', () => {
    expect(read({ 'a.proto': `${HEAD}import "b.proto";` })).toEqual(['a.proto:3:8 the import b.proto is not there']);
    expect(read({ 'a.proto': `${HEAD}import "c.proto";\nimport "c.proto";`, 'c.proto': c })).toEqual([
      'a.proto:4:8 c.proto is imported twice',
    ]);
    expect(read({ 'a.proto': `${HEAD}import "b.proto";`, 'b.proto': `${HEAD}import "a.proto";` })).toEqual([
      'b.proto:3:8 a.proto imports this file again, in a circle',
    ]);
  });

  test('one name in two files', () => {
    expect(read({ 'a.proto': `${HEAD}import "c.proto";\nmessage C {}`, 'c.proto': c })).toEqual([
      'c.proto:3:9 shop.v1.C is declared already (message) at a.proto:4:9',
    ]);
  });
});

describe('mistakes have a place and all are told', () => {
  const cases: [string, string, string[]][] = [
    [
      'a scope further in that knows the first part',
      'message Inner { message shop {} shop.v1.Inner i = 1; }',
      [
        'a.proto:3:33 shop.v1.Inner means shop.v1.Inner.shop.v1.Inner here, which is not declared: the innermost scope that ' +
          'knows its first part decides; write .shop.v1.Inner to begin at the outermost',
      ],
    ],
    [
      'several',
      'message A { Nothing n = 1; int32 m = 1; int32 o = 19500; reserved "o"; }',
      [
        'a.proto:3:13 Nothing is not declared',
        'a.proto:3:38 number 1 is n’s already',
        'a.proto:3:51 numbers from 19000 to 19999 are protobuf’s own',
        'a.proto:3:47 the name o is reserved',
      ],
    ],
    [
      'JSON names that collide',
      'message A { int32 fooBar = 1; int32 foo_bar = 2; }',
      ['a.proto:3:37 the JSON name fooBar of foo_bar collides with that of fooBar'],
    ],
    [
      'values of enums in one scope',
      'enum A { ZERO = 0; }\nenum B { ZERO = 0; }',
      [
        'a.proto:4:10 shop.v1.ZERO is declared already (enum value) at a.proto:3:10; values of an enum share the scope that the enum stands in, as in C++',
      ],
    ],
    [
      '__proto__',
      'message A { int32 __proto__ = 1; }',
      ['a.proto:3:19 nothing can be called __proto__ here: JavaScript loses such a name'],
    ],
    ['a text without end', 'option x = "a\n";', ['a.proto:3:12 this text has no end on its line']],
    ['a comment without end', 'message A {} /* x', ['a.proto:3:14 this comment has no end']],
    ['messages of great depth', 'message A {'.repeat(40), ['a.proto:3:361 messages nested deeper than 32']],
    [
      'methods',
      'message A {}\nservice S { rpc A(A) returns (.shop.v1.A); rpc B(stream A) returns (stream B) { option deprecated = true; } }',
      [
        'a.proto:4:57 A is no type (method)',
        'a.proto:4:19 A is no type (method)',
        'a.proto:4:76 B is no type (method)',
      ],
    ],
  ];
  test.each(cases)('%s', (_, body, lines) => {
    const found = read({ 'a.proto': HEAD + body });
    expect([...(found as readonly string[])].sort()).toEqual([...lines].sort());
  });

  test('custom options and services are read over', () => {
    const text = `${HEAD}
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional string unit = 50001; Limits limits = 50002; }
extend .google.protobuf.MessageOptions { repeated int32 tags = 50001; }
message Limits { double low = 1; double high = 2; }
message A {
  option (tags) = 1;
  double depth = 1 [(unit) = "m" 'm', (shop.v1.limits) = { low: -1 high: inf nested < a: [1, 2] > }, (limits).low = -1.5e3];
}
service Shop { option deprecated = true; rpc Buy(A) returns (stream Limits) { option (x.y).z = { a: "}" }; } }
`;
    expect(read({ 'a.proto': text })).toMatchObject({ 'shop.v1.A': ['double depth "depth" = 1'] });
    expect(read({ 'a.proto': `${HEAD}message A {}\nextend A { int32 x = 100; }` })).toEqual([
      'a.proto:4:8 proto3 extends options of google/protobuf/descriptor.proto only, not A',
    ]);
  });
});
