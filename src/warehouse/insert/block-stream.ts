/**
 * Native blocks as the body of a request: each chunk is written when the one before has left, and a block's memory is
 * released when its last chunk has. Main thread, for connection.ts.
 *
 * A write's callback is what says so: the system has copied the bytes, or the encryption has. "The stream asked for more"
 * does not, since streams read ahead and small chunks are queued. That is why the chunks do not go through the stream's own
 * buffer but from `pipe` to the destination.
 *
 *   write(chunk) - callback - write(next chunk) ... callback of a block's last chunk - release
 *
 * Of a body that breaks off nothing more is released: its memory may still lie in a socket's queue, and is garbage once that
 * is gone.
 */

import { Readable } from 'node:stream';

/** A Native block, or whatever else goes out as one. */
export interface BodyBlock {
  readonly chunks: readonly Uint8Array[];
  /** Called at most once, when none of the chunks is read any more. */
  release(): void;
}

export class BlockStream extends Readable {
  readonly #blocks: Iterator<BodyBlock>;
  /** Of which chunks are being written, and the place of the next one. */
  #block: BodyBlock | null = null;
  #next = 0;

  constructor(blocks: Iterable<BodyBlock>) {
    super();
    this.#blocks = blocks[Symbol.iterator]();
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    this.#writeNext(destination);
    return destination;
  }

  override _read(): void {
    this.destroy(new Error('blocks go to where they are piped, and cannot be read'));
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#blocks.return?.();
    callback(error);
  }

  #writeNext(destination: NodeJS.WritableStream): void {
    try {
      const chunk = this.#chunk();
      if (chunk === null) {
        this.push(null);
        // Nobody reads, so that `end` must be asked for.
        this.resume();
      } else {
        destination.write(chunk, (error) => {
          if (error === null || error === undefined) this.#taken(destination);
        });
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #taken(destination: NodeJS.WritableStream): void {
    if (this.destroyed) return;
    const block = this.#block;
    if (block !== null && this.#next === block.chunks.length) {
      this.#block = null;
      block.release();
    }
    this.#writeNext(destination);
  }

  #chunk(): Uint8Array | null {
    while (this.#block === null || this.#next === this.#block.chunks.length) {
      const { done, value } = this.#blocks.next();
      if (done === true) return null;
      this.#block = value;
      this.#next = 0;
    }
    return this.#block.chunks[this.#next++]!;
  }
}
