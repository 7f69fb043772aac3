/** Processes and folders of a bench: whatever ends it (its end, an error, Ctrl-C), none of them stays behind. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const SAID_BYTES_MAX = 4000;
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 };
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 };

const children = new Set<ChildProcess>();
const folders = new Set<string>();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT_CODES[signal]));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, REMOVAL);
});

/** A folder below the system's own for such things. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `hunt-${name}-`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, REMOVAL);
  folders.delete(folder);
}

export interface BenchChild {
  readonly pid: number;
  /** Sends a line to its standard input. */
  write(line: string): void;
  /** The next line that it prints; rejects with what it said on standard error where it ends or takes too long. */
  line(timeoutMs: number): Promise<string>;
  kill(): Promise<void>;
}

export function startChild(name: string, command: string, words: readonly string[], cwd?: string): BenchChild {
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
  children.add(child);
  let said = '';
  const gone = new Promise<void>((resolve) => {
    const ended = (): void => {
      children.delete(child);
      resolve();
    };
    // Its end and all that it has said: `exit` may come before the last of its output.
    child.once('close', ended);
    child.once('error', (error) => {
      said += error.message;
      ended();
    });
  });
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-SAID_BYTES_MAX)));
  const lines = new Lines(createInterface({ input: child.stdout }));
  return {
    pid: child.pid ?? 0,
    write: (line) => void child.stdin.write(`${line}\n`),
    async line(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${name} said nothing in ${timeoutMs} ms: ${said}`)), timeoutMs);
      });
      const over = gone.then(() => lines.last() ?? Promise.reject(new Error(`${name} has ended: ${said}`)));
      try {
        return await Promise.race([lines.next(), over, late]);
      } finally {
        clearTimeout(timer);
      }
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Lines that were printed, until someone asks for them. */
class Lines {
  readonly #come: string[] = [];
  #asks: ((line: string) => void) | null = null;

  constructor(lines: Interface) {
    lines.on('line', (line) => {
      const ask = this.#asks;
      this.#asks = null;
      if (ask === null) this.#come.push(line);
      else ask(line);
    });
  }

  next(): Promise<string> {
    const line = this.#come.shift();
    return line === undefined ? new Promise((resolve) => (this.#asks = resolve)) : Promise.resolve(line);
  }

  /** What a process that has ended had still to say. */
  last(): string | undefined {
    return this.#come.shift();
  }
}
