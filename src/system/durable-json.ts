/**
 * Small files of the data folder that must be whole or not there: written beside, synced, renamed, and read back with a
 * checksum, so that one that was cut, emptied, changed or brought from elsewhere is known. Main thread.
 *
 *   {"crc32":"1a2b3c4d", …the content's own keys}      the checksum is that of the text behind it
 */

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { OperatingError } from '../errors.ts';

const BEGIN = /^\{"crc32":"([0-9a-f]{8})",/;

/** Durable on return. `content` has at least one key. */
export function writeDurableJson(path: string, content: object): void {
  const rest = JSON.stringify(content).slice(1);
  writeDurably(path, `{"crc32":"${checksumOf(rest)}",${rest}`);
}

/**
 * null: there is no such file. `advice`: what to do where it is damaged. Files of before checksums are believed where they
 * parse.
 */
export function readDurableJson(path: string, advice: string): object | null {
  if (!existsSync(path)) return null;
  const text = readFileSync(path, 'utf8');
  const begin = BEGIN.exec(text);
  const isRight = begin === null || begin[1] === checksumOf(text.slice(begin[0].length));
  const content = isRight ? parsed(text) : null;
  if (content !== null) return content;
  throw new OperatingError(
    'file_damaged',
    `a file of the data folder is damaged: file=${path} bytes=${text.length}; ${advice}`,
  );
}

/** Whole or not at all, also where the power fails in the middle. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  syncing(temporary, 'w', (file) => writeFileSync(file, text));
  renameSync(temporary, path);
  syncing(dirname(path), 'r', () => undefined);
}

function syncing(path: string, flags: string, write: (file: number) => void): void {
  const file = openSync(path, flags);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
