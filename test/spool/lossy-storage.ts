/**
 * A disk that forgets: it keeps what a returned `fdatasync` (file contents) or `fsyncDirectory` (names) covered, and of the
 * rest whatever a seeded chance leaves, sector by sector. It shows what `kill -9` cannot: a power cut.
 *
 *   const disk = new LossyStorage();        every call counts as one operation
 *   disk.crashAfter(n, random);             the n-th operation from now throws PowerCut, half done; all later ones throw too
 *   const image = disk.image(random);       what the next start finds: a fresh LossyStorage
 *
 * What it assumes of a real disk: a sector of 512 bytes is written whole or not at all, and synced bytes stay.
 */

import fs from 'node:fs';
import path from 'node:path';

import { OperatingError } from '../../src/errors.ts';
import type { Storage, StorageFile } from '../../src/spool/storage.ts';

export const SECTOR_BYTES = 512;

/** Returns the next number in [0, 1). */
export type Random = () => number;

/** A small seeded generator (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class PowerCut extends Error {
  constructor() {
    super('the power was cut here');
    this.name = 'PowerCut';
  }
}

interface Write {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What a file is apart from its name: the current bytes, the ones that a power cut leaves, and the writes between them. */
class Inode {
  current = new Uint8Array(0);
  size = 0;
  durable = new Uint8Array(0);
  unsynced: Write[] = [];

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.current.length) this.current = grown(this.current, Math.max(end, this.current.length * 2));
    this.current.set(bytes, position);
    this.size = Math.max(this.size, end);
    this.unsynced.push({ position, bytes: bytes.slice() });
  }

  sync(): void {
    for (const write of this.unsynced) this.durable = applied(this.durable, write.position, write.bytes);
    this.unsynced = [];
  }

  /** Each sector that an unsynced write touched is on the disk or not. */
  torn(random: Random): Uint8Array<ArrayBuffer> {
    let bytes: Uint8Array<ArrayBuffer> = this.durable.slice();
    for (const write of this.unsynced) {
      const keep = random();
      const end = write.position + write.bytes.length;
      for (let at = write.position; at < end;) {
        const sectorEnd = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        const part = write.bytes.subarray(at - write.position, sectorEnd - write.position);
        if (random() < keep) bytes = applied(bytes, at, part);
        at = sectorEnd;
      }
    }
    return bytes;
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

function applied(base: Uint8Array<ArrayBuffer>, position: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const end = position + bytes.length;
  const into = end > base.length ? grown(base, end) : base;
  into.set(bytes, position);
  return into;
}

class LossyFile implements StorageFile {
  readonly path: string;
  readonly #disk: LossyStorage;
  readonly #inode: Inode;

  constructor(disk: LossyStorage, file: string, inode: Inode) {
    this.#disk = disk;
    this.path = file;
    this.#inode = inode;
  }

  size(): number {
    return this.#inode.size;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#inode.size);
    if (end <= position) return 0;
    into.set(this.#inode.current.subarray(position, end), offset);
    return end - position;
  }

  writev(buffers: readonly Uint8Array[], position: number): void {
    let length = 0;
    for (const buffer of buffers) length += buffer.length;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const buffer of buffers) {
      whole.set(buffer, at);
      at += buffer.length;
    }
    this.#disk.operation(() => this.#inode.write(position, whole));
  }

  fdatasync(): void {
    this.#disk.operation(() => this.#inode.sync(), false);
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<void> {
    this.writev([bytes], position);
  }

  async fdatasyncLater(): Promise<void> {
    this.fdatasync();
  }

  close(): void {}
}

export class LossyStorage implements Storage {
  /** Names as a running process sees them, and as a power cut leaves them. */
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  readonly #directories = new Set<string>();
  #operations = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  #random: Random = () => 0.5;
  #crashed = false;
  #hook: ((operation: number) => void) | null = null;

  /** Operations so far: writes, syncs and changes of names. */
  get operations(): number {
    return this.#operations;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  crashAfter(operations: number, random: Random): void {
    this.#crashAt = this.#operations + operations;
    this.#random = random;
  }

  /** `hook` is called before each operation; whatever it throws is what the operation throws (a full disk, a broken one). */
  onOperation(hook: ((operation: number) => void) | null): void {
    this.#hook = hook;
  }

  /** `partly`: an operation that the cut hits may have happened (a sync that did not return has promised nothing). */
  operation(act: () => void, partly = true): void {
    if (this.#crashed) throw new PowerCut();
    this.#operations++;
    this.#hook?.(this.#operations);
    if (this.#operations >= this.#crashAt) {
      this.#crashed = true;
      if (partly && this.#random() < 0.5) act();
      throw new PowerCut();
    }
    act();
  }

  makeDirectory(directory: string): void {
    this.#directories.add(path.resolve(directory));
  }

  list(directory: string): string[] {
    const folder = path.resolve(directory);
    const names: string[] = [];
    for (const file of this.#names.keys()) if (path.dirname(file) === folder) names.push(path.basename(file));
    return names.sort();
  }

  create(file: string): StorageFile {
    const name = path.resolve(file);
    if (this.#names.has(name)) throw new OperatingError('spool_disk', `open failed: file=${file} error=EEXIST`);
    const inode = new Inode();
    this.operation(() => this.#names.set(name, inode));
    return new LossyFile(this, file, inode);
  }

  open(file: string): StorageFile {
    const inode = this.#names.get(path.resolve(file));
    if (inode === undefined) throw new OperatingError('spool_disk', `open failed: file=${file} error=ENOENT`);
    return new LossyFile(this, file, inode);
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(path.resolve(from));
    if (inode === undefined) throw new OperatingError('spool_disk', `rename failed: file=${from} error=ENOENT`);
    this.operation(() => {
      this.#names.delete(path.resolve(from));
      this.#names.set(path.resolve(to), inode);
    });
  }

  unlink(file: string): void {
    this.operation(() => this.#names.delete(path.resolve(file)));
  }

  unlinkLater(file: string): void {
    this.unlink(file);
  }

  fsyncDirectory(directory: string): void {
    const folder = path.resolve(directory);
    this.operation(() => {
      for (const file of this.#durableNames.keys()) {
        if (path.dirname(file) === folder && !this.#names.has(file)) this.#durableNames.delete(file);
      }
      for (const [file, inode] of this.#names) if (path.dirname(file) === folder) this.#durableNames.set(file, inode);
    }, false);
  }

  /** What a start after a power cut at this moment finds. Each name that changed is the old one or the new one. */
  image(random: Random): LossyStorage {
    const image = new LossyStorage();
    const torn = new Map<Inode, Inode>();
    for (const file of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const before = this.#durableNames.get(file);
      const after = this.#names.get(file);
      const inode = before === after || random() < 0.5 ? before : after;
      if (inode === undefined) continue;
      let found = torn.get(inode);
      if (found === undefined) {
        found = new Inode();
        found.current = inode.torn(random);
        found.size = found.current.length;
        found.durable = found.current.slice();
        torn.set(inode, found);
      }
      image.#names.set(file, found);
      image.#durableNames.set(file, found);
    }
    for (const directory of this.#directories) image.#directories.add(directory);
    return image;
  }

  /** Puts the files of one folder into a real one, for tests that start the real thing on an image. */
  writeTo(directory: string, realDirectory: string): void {
    fs.mkdirSync(realDirectory, { recursive: true });
    for (const name of this.list(directory)) {
      const inode = this.#names.get(path.resolve(directory, name)) as Inode;
      fs.writeFileSync(path.join(realDirectory, name), inode.current.subarray(0, inode.size));
    }
  }
}
