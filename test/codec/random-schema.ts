/**
 * Random .proto files: every scalar type, enums, `optional`, repeated, maps, timestamps, sub-messages to depth three, plain
 * oneofs, and a type oneof of up to forty branches. Field numbers go from one-byte tags to the largest.
 */

const SCALARS = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
];

type Random = () => number;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)];
}

class Numbers {
  readonly #used = new Set<number>();
  readonly #random: Random;
  #next = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  take(): number {
    const r = this.#random();
    let number = this.#next;
    if (r > 0.85) number = 1 + Math.floor(this.#random() * (r > 0.97 ? 536870911 : 3000));
    while (this.#used.has(number) || (number >= 19000 && number < 20000)) number++;
    this.#used.add(number);
    while (this.#used.has(this.#next)) this.#next++;
    return number;
  }
}

function scalarType(random: Random): string {
  const r = random();
  return r < 0.1 ? 'Color' : r < 0.2 ? 'google.protobuf.Timestamp' : pick(random, SCALARS);
}

function valueType(random: Random): string {
  return random() < 0.15 ? 'Color' : pick(random, SCALARS);
}

/** Source of one message and, before it, of those that it contains. */
function message(random: Random, name: string, depth: number, branches: number): string {
  const numbers = new Numbers(random);
  const before: string[] = [];
  const lines: string[] = [];
  let count = 0;
  const fieldName = (): string => `f${++count}`;
  const sub = (): string => {
    const type = `${name}${fieldName().toUpperCase()}`;
    before.push(message(random, type, depth + 1, 0));
    return type;
  };
  const singular = (): string => (depth < 3 && random() < 0.25 ? sub() : scalarType(random));
  const fields = 1 + Math.floor(random() * (depth === 0 ? 14 : 5));
  for (let i = 0; i < fields; i++) {
    const r = random();
    if (r < 0.15) lines.push(`repeated ${scalarType(random)} ${fieldName()} = ${numbers.take()};`);
    else if (r < 0.25) lines.push(`map<string, ${valueType(random)}> ${fieldName()} = ${numbers.take()};`);
    else if (r < 0.4) lines.push(`optional ${scalarType(random)} ${fieldName()} = ${numbers.take()};`);
    else if (r < 0.5) {
      const members = Array.from(
        { length: 1 + Math.floor(random() * 4) },
        () => `${singular()} ${fieldName()} = ${numbers.take()};`,
      );
      lines.push(`oneof one${++count} { ${members.join(' ')} }`);
    } else lines.push(`${singular()} ${fieldName()} = ${numbers.take()};`);
  }
  if (branches > 0) {
    const members = Array.from(
      { length: branches },
      () => `${random() < 0.7 ? sub() : scalarType(random)} ${fieldName()} = ${numbers.take()};`,
    );
    lines.push(`oneof action { ${members.join(' ')} }`);
  }
  return `${before.join('\n')}\nmessage ${name} {\n${lines.join('\n')}\n}`;
}

/** Every fifth schema has a type oneof of forty branches, every second of the others one of a few. */
export function randomSchema(random: Random, index: number): string {
  const branches = index % 5 === 0 ? 40 : index % 2 === 0 ? 1 + Math.floor(random() * 6) : 0;
  return `syntax = "proto3";
import "google/protobuf/timestamp.proto";
enum Color { NONE = 0; RED = 1; GREEN = 2; OLD = -5; }
${message(random, 'Event', 0, branches)}`;
}
