/**
 * One server with few descriptors, a small spool and small tables. Whatever a test tried, the server must then answer, store
 * and be ready. Used by a8-bounds.test.ts.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { KEY_HEADERS } from '../doors.ts';
import { root, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';

export const PLAYERS_MAX = 100;
const DESCRIPTORS = 320;

interface Facts {
  readonly clickhouse: { readonly pid: number; readonly restarts: number };
  readonly ready: { readonly ready: boolean };
  readonly bounds: { readonly entities: Record<string, { used: number; max: number; evicted: number }> };
  readonly snapshots: { readonly taken: number };
  readonly spool: { readonly bytes: number };
}

interface Totals {
  readonly deadLettered: number;
  readonly framesRejected: number;
  readonly deadLettersKept: number;
  readonly deadLettersNotKept: number;
}

interface LedgerPage {
  readonly total: Totals;
  readonly producers: readonly (Totals & { readonly producer: string })[];
}

class BoundedServer {
  readonly folder = temporaryFolder();
  /** Destroyed after each test. */
  readonly sockets: Socket[] = [];
  #server: Server | null = null;
  #ids = 0;

  get server(): Server {
    return this.#server!;
  }

  readonly facts = (): Promise<Facts> => this.server.get<Facts>('/v1/server');
  readonly ledger = (): Promise<LedgerPage> => this.server.get<LedgerPage>('/v1/ledger');
  readonly nextId = (): number => this.#ids++;

  readonly event = (fields: object = {}): object => ({
    id: `a8-${this.nextId()}`,
    player: 1,
    hunt: 1,
    at: Date.now(),
    ...fields,
  });

  readonly post = (body: string | Buffer, type = 'application/json', headers: Record<string, string> = {}) =>
    fetch(`${this.server.url}/v1/events`, {
      method: 'POST',
      headers: { ...KEY_HEADERS, 'content-type': type, ...headers },
      body,
    });

  /** The answer's text; what is refused for the moment is sent again, as clients do. */
  readonly send = async (events: readonly object[], headers: Record<string, string> = {}): Promise<string> => {
    for (;;) {
      const response = await this.post(JSON.stringify({ events }), 'application/json', headers);
      const text = await response.text();
      if (response.status !== 429 && response.status !== 503) return text;
      await new Promise((done) => setTimeout(done, 100));
    }
  };

  readonly readyz = async (): Promise<{ status: number; parts: string[] }> => {
    const response = await fetch(`${this.server.url}/readyz`);
    const { failing } = (await response.json()) as { failing: { part: string; reason: string }[] };
    for (const { reason } of failing) expect(reason.length).toBeGreaterThan(10);
    return { status: response.status, parts: failing.map(({ part }) => part) };
  };

  async start(): Promise<void> {
    const from = join(root, 'test', 'faults');
    const pipeline = join(this.folder.path, 'pipeline');
    mkdirSync(pipeline);
    const yaml = readFileSync(join(from, 'power-cut.yaml'), 'utf8').replace('max: 2000', `max: ${PLAYERS_MAX}`);
    writeFileSync(join(pipeline, 'power-cut.yaml'), yaml);
    writeFileSync(join(pipeline, 'power-cut.proto'), readFileSync(join(from, 'power-cut.proto')));
    this.#server = await startServer({
      data: join(this.folder.path, 'data'),
      pipeline: join(pipeline, 'power-cut.yaml'),
      descriptors: DESCRIPTORS,
      options:
        '--batch-age 50 --log-format json --workers 1 --spool-max 0.3 --spool-segment 72 --snapshot-after 4096'.split(
          ' ',
        ),
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.folder.remove();
  }
}

export function useBoundedServer(): BoundedServer {
  const world = new BoundedServer();
  beforeAll(() => world.start(), 120_000);
  afterEach(async () => {
    for (const socket of world.sockets.splice(0)) socket.destroy();
    expect(await world.send([world.event()])).toContain('"status":"OK"');
    await until(async () => (await world.readyz()).status === 200, 'it is ready again', 30_000);
  }, 60_000);
  afterAll(() => world.stop(), 120_000);
  return world;
}
