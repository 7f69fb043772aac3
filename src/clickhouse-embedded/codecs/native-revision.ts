/**
 * The Native format as a client reads it that says `client_protocol_version`: the engine's library writes it as of revision
 * 0, which has nothing in front of a block. Later ones begin each block with its info (from 1 on) and each column with
 * whether it is serialised in a way of its own (from 54454 on), which none is here. Child process.
 */
import type { Recoder } from './recoder.ts';
import { nativeType, type NativeType } from './native-type.ts';

const CUSTOM_SERIALIZATION_REVISION = 54_454;
/** Field 1, is_overflows: no; field 2, bucket_num: -1; no more fields. */
const BLOCK_INFO = Uint8Array.of(1, 0, 2, 255, 255, 255, 255, 0);
const NOT_CUSTOM = Uint8Array.of(0);
const VARINT_BYTES_MAX = 10;
const INDEX_TYPE_MASK = 255;

/** The block goes on beyond what has come. */
class Unfinished extends Error {}
const UNFINISHED = new Unfinished();

export function nativeOfRevision(revision: number): Recoder {
  let kept = Buffer.alloc(0);
  let wanted = 1;
  const take = (): Uint8Array[] => {
    const out: Uint8Array[] = [];
    for (;;) {
      const block = readBlock(kept, revision);
      if (block === null) return out;
      out.push(...block.parts);
      kept = kept.subarray(block.end);
      wanted = 1;
    }
  };
  return {
    push(chunk) {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length < wanted) return [];
      const out = take();
      // A block that is not whole is looked at again when there is twice as much, so that looking stays linear.
      wanted = kept.length * 2;
      return out;
    },
    end() {
      const out = take();
      return kept.length === 0 ? out : [...out, kept];
    },
  };
}

interface Block {
  readonly parts: Uint8Array[];
  readonly end: number;
}

/** null: it is not whole. */
function readBlock(bytes: Buffer, revision: number): Block | null {
  if (bytes.length === 0) return null;
  const reader = new Reader(bytes);
  try {
    const columns = reader.varint();
    const rows = reader.varint();
    const parts: Uint8Array[] = [BLOCK_INFO, bytes.subarray(0, reader.at)];
    for (let i = 0; i < columns; i++) {
      const from = reader.at;
      reader.skip(reader.varint());
      const type = reader.text(reader.varint());
      parts.push(bytes.subarray(from, reader.at));
      if (revision >= CUSTOM_SERIALIZATION_REVISION) parts.push(NOT_CUSTOM);
      const dataFrom = reader.at;
      if (rows > 0) skipColumn(reader, nativeType(type), rows);
      parts.push(bytes.subarray(dataFrom, reader.at));
    }
    return { parts, end: reader.at };
  } catch (cause) {
    if (cause === UNFINISHED) return null;
    throw cause;
  }
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.#bytes.length) throw UNFINISHED;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const from = this.at;
      this.skip(1);
      const byte = this.#bytes[from]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value;
  }

  u64(): number {
    const from = this.at;
    this.skip(8);
    return Number(this.#bytes.readBigUInt64LE(from));
  }

  text(bytes: number): string {
    const from = this.at;
    this.skip(bytes);
    return this.#bytes.toString('utf8', from, this.at);
  }
}

function skipColumn(reader: Reader, type: NativeType, rows: number): void {
  skipPrefix(reader, type);
  skipValues(reader, type, rows);
}

/** What stands before the values, of all parts of a type first. */
function skipPrefix(reader: Reader, type: NativeType): void {
  switch (type.kind) {
    case 'fixed':
    case 'string':
      return;
    case 'nullable':
    case 'array':
      return skipPrefix(reader, type.of);
    case 'tuple':
      for (const element of type.of) skipPrefix(reader, element);
      return;
    case 'dictionary':
      // Version of the way in which keys are serialised.
      return reader.skip(8);
  }
}

function skipValues(reader: Reader, type: NativeType, rows: number): void {
  if (rows === 0) return;
  switch (type.kind) {
    case 'fixed':
      return reader.skip(rows * type.bytes);
    case 'string':
      for (let row = 0; row < rows; row++) reader.skip(reader.varint());
      return;
    case 'nullable':
      reader.skip(rows);
      return skipValues(reader, type.of, rows);
    case 'array': {
      reader.skip((rows - 1) * 8);
      return skipValues(reader, type.of, reader.u64());
    }
    case 'tuple':
      for (const element of type.of) skipValues(reader, element, rows);
      return;
    case 'dictionary': {
      const indexBytes = 1 << (reader.u64() & INDEX_TYPE_MASK);
      skipValues(reader, type.of, reader.u64());
      return reader.skip(reader.u64() * indexBytes);
    }
  }
}
