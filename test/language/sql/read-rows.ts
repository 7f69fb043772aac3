/** Reads RowBinaryWithNamesAndTypes as plain values: bigint, number, boolean, bytes, null. */

export type Cell = bigint | number | boolean | Uint8Array | null;

export interface Rows {
  readonly types: readonly string[];
  readonly rows: readonly Cell[][];
}

export function readRows(bytes: Uint8Array): Rows {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = (): Uint8Array => {
    const length = varint();
    at += length;
    return bytes.subarray(at - length, at);
  };
  const names = (count: number): string[] => Array.from({ length: count }, () => new TextDecoder().decode(text()));
  const columns = varint();
  names(columns);
  const types = names(columns);
  const readers: Readonly<Record<string, () => Cell>> = {
    Int64: () => view.getBigInt64((at += 8) - 8, true),
    UInt64: () => view.getBigUint64((at += 8) - 8, true),
    UInt32: () => BigInt(view.getUint32((at += 4) - 4, true)),
    Float64: () => view.getFloat64((at += 8) - 8, true),
    UInt8: () => bytes[at++] !== 0,
    Bool: () => bytes[at++] !== 0,
    String: text,
    Nothing: () => {
      throw new Error('a value of type Nothing');
    },
  };
  const cells = types.map((type) => {
    const inner = /^Nullable\((\w+)\)$/.exec(type)?.[1];
    const read = readers[inner ?? type];
    if (read === undefined) throw new Error(`no reader: type=${type}`);
    return inner === undefined ? read : (): Cell => (bytes[at++] === 1 ? null : read());
  });
  const rows: Cell[][] = [];
  while (at < bytes.length) rows.push(cells.map((read) => read()));
  return { types, rows };
}
