/**
 * Random .proto files for the comparison with protoc: few names, used again at every level, in two or three files that
 * import one another, so that what a name means depends on the scope; and now and then one of the mistakes that protoc
 * refuses.
 */

type Random = () => number;

const TYPES = ['Status', 'Money', 'Item', 'Kind'];
const SCALARS = ['int32', 'sint64', 'fixed32', 'sfixed64', 'uint64', 'bool', 'string', 'bytes', 'double', 'float'];
const PACKAGES = ['', 'shop', 'shop.v1', 'shop.v1.Item', 'v1', 'shop.Kind'];
const FIELDS = [
  'status',
  'price',
  'item',
  'kind',
  'a_b',
  'a_b_c',
  'x1',
  'long_field_name',
  'Upper_name',
  'trailing_',
  'v_2',
];

/** What is put into a message's body, each a kind of mistake; some are none, to keep both sides honest. */
const ODDITIES = [
  'int32 again = 1; int64 again_too = 1;',
  'int32 twin = 901; string twin = 902;',
  'int32 fooBar = 903; int32 foo_bar = 904;',
  'int32 foo_bar = 903; int32 foo__bar = 904;',
  'int32 one = 903 [json_name = "fine"]; int32 two = 904 [json_name = "fine_too"];',
  'reserved 905; int32 r = 905;',
  'reserved 900 to 910; int32 r = 905;',
  'reserved 900 to max; int32 r = 899;',
  'reserved "gone"; int32 gone = 906;',
  'reserved "gone", "gone";',
  'reserved 5000 to 5010, 5010 to 5020;',
  'reserved "left", "right"; reserved 7000, 7002 to 7004; int32 middle = 7001;',
  'int32 low = 0;',
  'int32 high = 536870911;',
  'int32 higher = 536870912;',
  'int32 own = 19000;',
  'int32 own = 19999;',
  'int32 below = 18999; int32 above = 20000;',
  'int32 hex = 0x3F0; int32 octal = 01771;',
  'int32 eight = 08;',
  'enum First { A_ONE = 1; }',
  'enum Empty {}',
  'enum Alias { AL_A = 0; AL_B = 0; }',
  'enum Alias { option allow_alias = true; AL_A = 0; AL_B = 0; AL_C = -1; }',
  'enum Alias { option allow_alias = true; AL_A = 0; AL_B = 1; }',
  'enum Case { CASE_A = 0; CASE_a = 1; }',
  'enum Prefix { PREFIX_ONE = 0; ONE = 1; }',
  'enum Prefix { option allow_alias = true; PREFIX_ONE = 0; ONE = 0; }',
  'enum Twice { T_A = 0; } enum Other { T_A = 0; }',
  'enum Twice { T_A = 0; } message Inner { enum Other { T_A = 0; } }',
  'enum Wide { W_A = 0; W_B = 2147483647; W_C = -2147483648; }',
  'enum Wide { W_A = 0; W_B = 2147483648; }',
  'enum Res { reserved 5, 7 to max; reserved "R_X"; R_A = 0; R_B = 6; }',
  'enum Res { reserved 5, 7 to max; R_A = 0; R_B = 9; }',
  'enum Res { reserved "R_X"; R_A = 0; R_X = 9; }',
  'map<string, int32> ok_map = 910; map<sfixed64, Status> other_map = 911;',
  'map<bool, string> flags = 910;',
  'map<double, int32> bad_map = 912;',
  'map<bytes, int32> bad_map = 912;',
  'map<Status, int32> bad_map = 912;',
  'repeated map<string, int32> bad_map = 912;',
  'map<string, int32> my_map = 910; message MyMapEntry {}',
  'map<string, int32> my_map = 910; MyMapEntry entry = 911;',
  'oneof choice { repeated int32 r = 913; }',
  'oneof choice { map<string, int32> m = 913; }',
  'oneof choice {}',
  'oneof choice { int32 in_one = 913; string in_two = 914; } oneof other { int32 in_three = 915; }',
  'oneof choice { int32 choice = 913; }',
  'group G = 914 { int32 g = 1; }',
  'required int32 must = 915;',
  'optional int32 may = 916;',
  'optional Status may_be = 917; optional Money may_pay = 918;',
  'int32 d = 919 [default = 1];',
  'repeated int32 p = 920 [packed = true]; repeated Status q = 921 [packed = false];',
  'repeated string p = 920 [packed = true];',
  'int32 p = 920 [packed = true];',
  'int32 old = 922 [deprecated = true, json_name = "Old"];',
  'int32 old = 922 [deprecated = yes];',
  'extensions 100 to 200;',
  'option message_set_wire_format = true;',
  'message message {} message enum {}',
  'int32 message_id = 923; int32 package = 924; int32 syntax = 925; int32 to = 926;',
  "string text = 927 [json_name = 'a\\\"b\\n\\101'];",
  'google.protobuf.Timestamp at = 928;',
  '.google.protobuf.Timestamp at = 928;',
  'protobuf.Timestamp at = 928;',
  'any.Thing thing = 929;',
  '; ; /* a comment */ // and another\n',
  'int32 a=930;int32 b=931; /* x */ int32 /* y */ c /* z */ = 932;',
  'int32 no_space = 933.;',
  'int32 bad-name = 934;',
  'int32 1st = 935;',
  'message Deep { message Deep { Deep deep = 1; .shop.v1.Status far = 2; } Deep deep = 1; }',
  'message status {} message Inner { status s = 1; }',
  'message Inner { message Status {} Status.Status s = 1; }',
  'message Inner { enum Kind { K_ZERO = 0; } Kind.Kind s = 1; }',
  'message Inner { int32 Status = 1; Status s = 2; }',
  'message Inner { int32 shop = 1; shop.v1.Status s = 2; }',
];

/** Refused here and taken by protoc 3.21: the first two by later protocs no more. */
const STRICTER = [
  'int32 one = 903 [json_name = "same"]; int32 two = 904 [json_name = "same"];',
  'reserved 5010 to 5000;',
  'option map_entry = true;',
  'int32 one = 903 [json_name = "two"]; int32 two = 904 [json_name = "three"];',
  'int32 __proto__ = 905;',
  'message __proto__ {}',
  'enum Proto { __proto__ = 0; }',
  'int32 one = 903 [json_name = "__proto__"];',
];

/** Name -> text; the first is the one that is asked for. */
export function randomFiles(random: Random): ReadonlyMap<string, string> {
  const names = ['a.proto', 'b.proto', 'c.proto'].slice(0, 1 + Math.floor(random() * 3));
  const packages = names.map(() => pick(random, PACKAGES));
  const declared: string[] = [];
  const files = new Map<string, string>();
  // From the last, which imports nothing, to the first.
  for (let i = names.length - 1; i >= 0; i--) {
    const imports = names.slice(i + 1).filter((_, j) => j === 0 || random() < 0.3);
    const text = fileOf(random, packages[i]!, imports, declared, 10 * (i + 1));
    files.set(names[i]!, text);
  }
  return new Map([...files].reverse());
}

function fileOf(
  random: Random,
  inPackage: string,
  imports: readonly string[],
  declared: string[],
  unique: number,
): string {
  const lines = ['syntax = "proto3";'];
  if (random() < 0.5) lines.push('import "google/protobuf/timestamp.proto";');
  for (const name of imports) lines.push(`import ${random() < 0.4 ? 'public ' : ''}"${name}";`);
  if (inPackage !== '') lines.push(`package ${inPackage};`);
  const here = shuffled(random, TYPES).slice(0, 1 + Math.floor(random() * 2));
  const bodies = here.map((name) => typeOf(random, name, inPackage, declared, 0, unique));
  bodies.push(messageOf(random, `Top${unique}`, inPackage, declared, 0, unique));
  return [...lines, ...bodies.map((body) => body())].join('\n') + '\n';
}

/** Declares the name now and writes the body later, when all names are known. */
function typeOf(
  random: Random,
  name: string,
  scope: string,
  declared: string[],
  depth: number,
  unique: number,
): () => string {
  if (random() < 0.4) {
    const fullName = join(scope, name);
    declared.push(fullName);
    const prefix = fullName.replace(/\./g, '_').toUpperCase();
    return () => `enum ${name} { ${prefix}_${unique}_ZERO = 0; ${prefix}_${unique}_TWO = 2; }`;
  }
  return messageOf(random, name, scope, declared, depth, unique);
}

function messageOf(
  random: Random,
  name: string,
  scope: string,
  declared: string[],
  depth: number,
  unique: number,
): () => string {
  const fullName = join(scope, name);
  declared.push(fullName);
  const inner = depth >= 3 ? [] : shuffled(random, TYPES).slice(0, Math.floor(random() * 3));
  const nested = inner.map((one) => typeOf(random, one, fullName, declared, depth + 1, unique));
  return () => {
    const fields = shuffled(random, FIELDS)
      .slice(0, 1 + Math.floor(random() * 3))
      .map((field, i) => fieldOf(random, field, 1 + i, fullName, declared));
    const oddity = random() < 0.08 ? [pick(random, ODDITIES)] : [];
    const parts = shuffled(random, [...nested.map((body) => body()), ...fields, ...oddity]);
    return `message ${name} {\n${parts.join('\n')}\n}`;
  };
}

function fieldOf(random: Random, name: string, number: number, scope: string, declared: readonly string[]): string {
  const type = random() < 0.35 ? pick(random, SCALARS) : reference(random, scope, declared);
  const label = random() < 0.2 ? 'repeated ' : random() < 0.15 ? 'optional ' : '';
  return `${label}${type} ${name} = ${number};`;
}

/** One of the ways to write a declared type, mostly one that is meant to be seen from here. */
function reference(random: Random, scope: string, declared: readonly string[]): string {
  const near = declared.filter((name) => scope.startsWith(name.slice(0, Math.max(0, name.lastIndexOf('.')))));
  const name = pick(random, near.length > 0 && random() < 0.8 ? near : declared);
  if (random() < 0.3) return `.${name}`;
  const parts = name.split('.');
  return parts.slice(Math.floor(random() * parts.length)).join('.');
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const result = [...from];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** A message for each oddity, so that none is left to chance. */
export function oddFiles(): { oddity: string; stricter: boolean; files: ReadonlyMap<string, string> }[] {
  const fileWith = (oddity: string): ReadonlyMap<string, string> => {
    const text = [
      'syntax = "proto3";',
      'import "google/protobuf/timestamp.proto";',
      'package shop.v1;',
      'enum Status { STATUS_ZERO = 0; } message Money { int64 cents = 1; }',
      `message Top { int32 first = 1;\n${oddity}\n}`,
    ];
    return new Map([['a.proto', text.join('\n')]]);
  };
  return [
    ...ODDITIES.map((oddity) => ({ oddity, stricter: false, files: fileWith(oddity) })),
    ...STRICTER.map((oddity) => ({ oddity, stricter: true, files: fileWith(oddity) })),
  ];
}
