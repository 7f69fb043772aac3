/**
 * Syncs a folder's file system through a small process of its own that is there from the start: once the tables are large,
 * or doubled by a deploy, the system may not let this process fork any more (ENOMEM). Started by connection.ts; ends when
 * its input does. Main thread.
 */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Answers each folder with one line: empty, or why not. */
const LOOP = 'while read -r folder; do reason=$(sync -f "$folder" 2>&1) && echo || echo failed $reason; done';

export class DiskSync {
  #answered: ((line: string) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;
  #gone: Error | null = null;
  /** Never rejects. */
  #last: Promise<void> = Promise.resolve();
  #child: ChildProcessWithoutNullStreams = this.#start();

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** One after the other, whoever asks. After one that failed for want of the process, the next one starts it anew. */
  sync(folder: string, msMax: number): Promise<void> {
    const synced = this.#last.then(() => this.#sync(folder, msMax));
    this.#last = synced.catch(() => undefined);
    return synced;
  }

  #sync(folder: string, msMax: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) this.#child = this.#start();
      const timer = setTimeout(() => this.#end(this.#child, new Error(`not synced within ${msMax} ms`)), msMax);
      this.#answered = (line) => {
        clearTimeout(timer);
        if (line === '') resolve();
        else reject(new Error(line));
      };
      this.#failed = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.#child.stdin.write(`${folder}\n`);
    });
  }

  end(): void {
    this.#child.stdin.end();
  }

  #start(): ChildProcessWithoutNullStreams {
    this.#gone = null;
    // A group of its own: a terminal's interrupt is for the server, which stops in its order.
    const child = spawn('sh', ['-c', LOOP], { detached: true });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (child === this.#child) this.#answered?.(line);
    });
    child.on('error', (error) => this.#end(child, error));
    child.on('exit', () => this.#end(child, new Error('the process that syncs has ended')));
    child.stdin.on('error', (error) => this.#end(child, error));
    // It keeps nobody from ending.
    child.unref();
    return child;
  }

  #end(child: ChildProcessWithoutNullStreams, error: Error): void {
    if (child !== this.#child) return;
    child.kill();
    this.#gone ??= error;
    this.#failed?.(error);
  }
}
