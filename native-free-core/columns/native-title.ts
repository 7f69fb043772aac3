/** What stands before a column's data in a Native block. Called once for each column when an encoder is made. */

import { createChunks, finishChunks, pushBytes, pushVarint } from './chunks.ts';
import { createPool } from './growing.ts';

/** varint length + bytes of name and type. */
export function columnTitle(name: string, type: string, utf8: (text: string) => Uint8Array): Uint8Array {
  const list = createChunks(createPool(0));
  for (const text of [name, type]) {
    const bytes = utf8(text);
    pushVarint(list, bytes.length);
    pushBytes(list, bytes);
  }
  return finishChunks(list, 0).chunks[0].slice();
}
