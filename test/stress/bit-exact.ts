/**
 * The bit-exact stress: a seeded stream through the real server, which is killed in the middle, and then `hunt verify`:
 * every feature of every stored row again, in SQL. Used by the short and the long form.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { HuntClient } from '../../src/client/index.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { steps, type StepOptions } from './step-stream.ts';
import { edited, variants } from './variants.ts';

export interface StressOptions extends Omit<StepOptions, 'endsAt'> {
  /** Default: now. */
  readonly endsAt?: number;
  readonly workers: number;
  readonly crashes: number;
  readonly producers: number;
  /** Changes of the pipeline while the stream comes in; default none. */
  readonly deploys?: number;
  /** Also asks what a recomputation by event time would get, which costs as much again. */
  readonly skew?: boolean;
  /** Default: as fast as they are taken. */
  readonly eventsPerSecond?: number;
}

export interface Verification {
  readonly rows: number;
  readonly features: readonly { readonly feature: string; readonly rows: number; readonly different: number }[];
}

const EVENTS_PER_FRAME = 100;
const IN_FLIGHT = 16;
/** What the pipeline declares for players. */
const TABLE_MAX = 3000;
const PIPELINE = join(import.meta.dirname, 'pipeline.yaml');

export async function runStress(options: StressOptions): Promise<Verification> {
  console.log(`seed=${options.seed} events=${options.events} workers=${options.workers} crashes=${options.crashes}`);
  const folder = temporaryFolder();
  const start = (before?: Server): Promise<Server> =>
    startServer({
      data: folder.path,
      pipeline: PIPELINE,
      options: ['--workers', String(options.workers)],
      ...(before === undefined
        ? {}
        : { listen: addressOf(before.url), clickhouseListen: addressOf(before.clickhouse) }),
    });
  let server = await start();
  try {
    const progress: Progress = { deploys: 0 };
    const sending = sendAll(server.url, options, progress);
    const deploying = deployAll(server.url, options, sending, progress);
    deploying.catch(() => undefined);
    for (let crash = 1; crash <= options.crashes; crash++) {
      const share = crash / (options.crashes + 1);
      await Promise.race([
        sending.done,
        until(() => sending.answered() >= options.events * share, 'half-way', 600_000),
      ]);
      await server.kill();
      server = await start(server);
    }
    await sending.done;
    await deploying;
    const stored = async (): Promise<number> =>
      (await server.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM events'))[0]!.n;
    await until(async () => (await stored()) >= sending.accepted(), 'all rows in ClickHouse', 120_000);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
    const lives = await server.query<{ n: number }>(
      'SELECT toUInt32(uniqExact(player, player_life) - uniqExact(player)) AS n FROM events',
    );
    console.log(`accepted=${sending.accepted()} stored=${await stored()} returned_after_eviction=${lives[0]!.n}`);
    // More players than the table holds: some leave and come back.
    if (options.players > TABLE_MAX * 1.5) expect(lives[0]!.n).toBeGreaterThan(0);
    // The twin reads the stored day: that it is the right one, ClickHouse's own calendar says.
    const days = await server.query<{ wrong: number; days: number }>(
      "SELECT toUInt32(countIf(_day_europe_berlin != toInt32(toDate(effective_time, 'Europe/Berlin')))) AS wrong, toUInt32(uniqExact(_day_europe_berlin)) AS days FROM events",
    );
    console.log(`days=${days[0]!.days}`);
    expect(days[0]!.wrong).toBe(0);
    const report = await verifyAll(server.url, options.skew === true ? [] : ['--no-skew']);
    // Features that the last version has no more, or otherwise: by the versions that stored them.
    if (progress.deploys > 0) {
      await verifyAll(server.url, [PIPELINE, '--no-skew']);
      await withFile(edited(PIPELINE), (file) => verifyAll(server.url, [file, '--no-skew']));
    }
    return report;
  } catch (error) {
    console.error(server.log().slice(-4000));
    throw error;
  } finally {
    await server.kill();
    folder.remove();
  }
}

/** With a file among the words: by the features of that pipeline instead of the running one. */
async function verifyAll(url: string, words: readonly string[]): Promise<Verification> {
  const verify = await hunt(['verify', ...words, '--url', url, '--json']);
  expect(verify.stdout, verify.stderr).not.toBe('');
  const report = JSON.parse(verify.stdout) as Verification;
  console.log(report.features.map((feature) => JSON.stringify(feature)).join('\n'));
  for (const feature of report.features) expect(feature, JSON.stringify(feature)).toMatchObject({ different: 0 });
  expect(verify.code, verify.stderr).toBe(0);
  return report;
}

let files = 0;

/** Beside the stress pipeline, whose .proto it names. */
async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const file = join(dirname(PIPELINE), `.variant-${process.pid}-${files++}.yaml`);
  writeFileSync(file, text);
  try {
    return await use(file);
  } finally {
    rmSync(file);
  }
}

/** One version after another, spread over the stream; a server that has just been killed is asked again. */
async function deployAll(url: string, options: StressOptions, sending: Sending, progress: Progress): Promise<void> {
  const count = options.deploys ?? 0;
  for (const [i, text] of variants(PIPELINE, count).entries()) {
    const share = (i + 1) / (count + 1);
    const due = (): boolean => sending.answered() >= options.events * share;
    await Promise.race([sending.done, until(due, 'a deploy', 600_000)]);
    await withFile(text, (file) => until(() => deploy(url, file, i), `deploy ${i}`, 120_000));
    progress.deploys++;
  }
}

async function deploy(url: string, file: string, number: number): Promise<boolean> {
  const { code, stdout, stderr } = await hunt(['deploy', file, '--url', url, '--reason', `stress ${number}`, '--json']);
  const result = stdout.includes('"result"') ? stdout.slice(stdout.lastIndexOf('"result"')).trim() : stdout.trim();
  console.log(`deploy=${number} exit=${code} ${code === 0 ? result : stderr.trim().slice(-300)}`);
  return code === 0;
}

function addressOf(url: string): string {
  return new URL(url).host;
}

/** Deploys that are through. */
interface Progress {
  deploys: number;
}

interface Sending {
  readonly done: Promise<void>;
  answered(): number;
  accepted(): number;
}

/** One stream, dealt out to the producers frame by frame. */
function sendAll(url: string, options: StressOptions, progress: Progress): Sending {
  const stream = steps({ ...options, endsAt: options.endsAt ?? Date.now() });
  let answered = 0;
  let accepted = 0;
  const nextFrame = (): Uint8Array[] => {
    const frame: Uint8Array[] = [];
    while (frame.length < EVENTS_PER_FRAME) {
      const step = stream.next();
      if (step.done === true) break;
      frame.push(step.value);
    }
    return frame;
  };
  const begun = performance.now();
  const rate = options.eventsPerSecond ?? Infinity;
  let sent = 0;
  const produce = async (number: number): Promise<void> => {
    const client = await HuntClient.connect({ url, encoding: 'proto', producer: `stress-${number}` });
    const flying = new Set<Promise<void>>();
    for (let frame = nextFrame(); frame.length > 0; frame = nextFrame()) {
      const size = frame.length;
      sent += size;
      const aheadMs = (sent / rate) * 1000 - (performance.now() - begun);
      if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
      // Every version gets its share: the stream goes on during a deploy, and waits before the next one's if need be.
      await until(
        () => sent <= (options.events * (progress.deploys + 2)) / ((options.deploys ?? 0) + 1),
        'a deploy',
        300_000,
      );
      const one = client.send(frame).then((answer) => {
        answered += size;
        accepted += size - answer.rejections.length;
      });
      flying.add(one);
      void one.finally(() => flying.delete(one)).catch(() => undefined);
      if (flying.size >= IN_FLIGHT) await Promise.race(flying);
    }
    await Promise.all(flying);
    await client.close();
  };
  const done = Promise.all(Array.from({ length: options.producers }, (_, i) => produce(i))).then(() => undefined);
  done.catch(() => undefined);
  return { done, answered: () => answered, accepted: () => accepted };
}
