/**
 * Syncs a folder's file system through a small process of its own that is there from the begin: once the tables are large, or doubled by a
 * deploy, the system may not let this process fork any more (ENOMEM). Started by connection.ts; ends when its input does. Main thread.
 */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Answers each folder with one line: empty, or why not. */
const LOOP = 'while read -r folder; do reason=$(sync -f "$folder" 2>&1) && echo || echo failed $reason; done';

export class DiskSync {
  readonly #child: ChildProcessWithoutNullStreams;
  #answered: ((line: string) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;
  #gone: Error | null = null;

  constructor() {
    // A group of its own: a terminal's interrupt is for the server, which stops in its order.
    this.#child = spawn('sh', ['-c', LOOP], { detached: true });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answered?.(line));
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', () => this.#end(new Error('the process that syncs has ended')));
    this.#child.stdin.on('error', (error) => this.#end(error));
    // It keeps nobody from ending.
    this.#child.unref();
  }

  /** One at a time. */
  sync(folder: string, msMax: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) return reject(this.#gone);
      const timer = setTimeout(() => this.#end(new Error(`not synced within ${msMax} ms`)), msMax);
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

  #end(error: Error): void {
    this.#gone ??= error;
    this.#failed?.(error);
  }
}
