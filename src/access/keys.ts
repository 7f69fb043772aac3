/**
 * API keys. The main thread has their texts, from `--key`, `--key-file` and HUNT_KEY; threads and the embedded ClickHouse
 * get digests only. Used on both ports.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { SCOPES, type Scope } from './scope.ts';

/** Whose key it is: all that is ever told of one. */
export interface KeyHolder {
  /** First 8 hexadecimal digits of the key's SHA-256; '': there are no keys, everybody may come. */
  readonly id: string;
  readonly scopes: readonly Scope[];
}

const ID_DIGITS = 8;
const ANYBODY: KeyHolder = { id: '', scopes: SCOPES };

/** SHA-256 in hexadecimal. */
export function keyDigests(keys: readonly string[]): string[] {
  return keys.map((key) => digestOf(key).toString('hex'));
}

export class KeyRing {
  readonly #keys: readonly { readonly digest: Buffer; readonly holder: KeyHolder }[];

  constructor(digests: readonly string[]) {
    this.#keys = digests.map((digest) => ({
      digest: Buffer.from(digest, 'hex'),
      holder: { id: digest.slice(0, ID_DIGITS), scopes: SCOPES },
    }));
  }

  /** Nobody needs a key. */
  get isOpen(): boolean {
    return this.#keys.length === 0;
  }

  /** null: it is none of the keys. All are compared, each in constant time, so the time taken says nothing about them. */
  find(key: string): KeyHolder | null {
    if (this.isOpen) return ANYBODY;
    const given = digestOf(key);
    let found: KeyHolder | null = null;
    for (const { digest, holder } of this.#keys) if (timingSafeEqual(given, digest)) found = holder;
    return found;
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
