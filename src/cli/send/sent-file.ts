/**
 * The file that `hunt send` sends: opened, unpacked where it is gzip (by its first bytes, not its name), and known by its
 * content, so that the same file sent twice is the same producer. Standard input is put into a temporary file first, for the
 * same reason.
 */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { OperatingError } from '../../errors.ts';

export interface Source {
  /** As the user named it. */
  readonly name: string;
  /** Size as it lies there, packed or not; null where it is not known. */
  readonly bytes: number | null;
  /** Of those, read so far. */
  readonly bytesRead: () => number;
  /** SHA-256 of the content, unpacked, hex; null where it was not asked for. */
  readonly digest: string | null;
  /** The content, unpacked, as text. Once. */
  chunks(): AsyncIterable<string>;
  /** Deletes what was put aside. */
  close(): Promise<void>;
}

const GZIP_MAGIC = [0x1f, 0x8b];
const CHUNK_BYTES = 1 << 18;

/** `digest`: whether the content must be known before it is sent. `note`: told what takes a while. */
export async function openSource(path: string, digest: boolean, note: (message: string) => void): Promise<Source> {
  if (path !== '-') return fileSource(path, path, digest, async () => undefined);
  if (!digest)
    return streamSource(
      'standard input',
      null,
      null,
      process.stdin,
      () => 0,
      async () => undefined,
    );
  const aside = join(tmpdir(), `hunt-send-${randomUUID()}`);
  const remove = (): Promise<void> => rm(aside, { force: true });
  note('reading standard input to its end first, to know it by its content; --producer NAME sends at once');
  try {
    await pipeline(process.stdin, createWriteStream(aside, { mode: 0o600 }));
    return await fileSource(aside, 'standard input', true, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function fileSource(path: string, name: string, digest: boolean, close: () => Promise<void>): Promise<Source> {
  try {
    const file = await stat(path);
    if (file.isDirectory()) throw new OperatingError('file_unreadable', `not a file but a folder: file=${name}`);
    // A pipe can be read only once.
    const known = digest && file.isFile() ? await digestOf(path) : null;
    const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES });
    return streamSource(name, file.isFile() ? file.size : null, known, stream, () => stream.bytesRead, close);
  } catch (cause) {
    if (cause instanceof OperatingError) throw cause;
    throw new OperatingError(
      'file_unreadable',
      `cannot read the file: file=${name} reason=${(cause as Error).message}; check the path`,
      { cause },
    );
  }
}

/** Of the content, unpacked: a file and its packed copy are the same events. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    for await (const chunk of unpacked(stream)) hash.update(chunk);
  } finally {
    stream.destroy();
  }
  return hash.digest('hex');
}

function streamSource(
  name: string,
  bytes: number | null,
  digest: string | null,
  stream: ReadStream | NodeJS.ReadStream,
  bytesRead: () => number,
  close: () => Promise<void>,
): Source {
  const chunks = async function* (): AsyncIterable<string> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      for await (const chunk of unpacked(stream)) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      const utf8 = cause instanceof TypeError;
      const advice = utf8 ? 'it is not UTF-8: convert it first, for example with iconv' : cause.message;
      throw new OperatingError('file_unreadable', `cannot read the file to its end: file=${name} reason=${advice}`, {
        cause,
      });
    }
  };
  return {
    name,
    bytes,
    digest,
    bytesRead,
    chunks,
    async close() {
      stream.destroy();
      await close();
    },
  };
}

async function* unpacked(stream: AsyncIterable<unknown>): AsyncIterable<Buffer> {
  const iterator = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value as Buffer]);
  }
  const whole = (async function* (): AsyncIterable<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value as Buffer;
  })();
  if (!GZIP_MAGIC.every((byte, i) => head[i] === byte)) return yield* whole;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Errors of the source and of the packing both end the loop below.
  const fed = pipeline(whole, gunzip);
  fed.catch(() => undefined);
  yield* gunzip as AsyncIterable<Buffer>;
  await fed;
}
