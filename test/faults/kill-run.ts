/**
 * One load run during which the server, or its ClickHouse alone, is killed again and again, at moments that fault-hook.mjs
 * finds or that chance finds. Asserts what must hold at the end, and prints a line for each kill. Used by kill.test.ts and
 * its long form.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hunt, root, startServer, temporaryFolder, until, type CommandResult, type Server } from '../e2e/server.ts';
import { seeded } from '../random.ts';
import { patient } from '../patience.ts';

/** Of the server, or of its ClickHouse, that is killed; see fault-hook.mjs. */
export interface Kill {
  readonly whom: 'server' | 'clickhouse';
  readonly phase: 'inside-fsync' | 'before-insert' | 'insert-in-flight' | 'random';
  readonly moment: string;
  /** Of the server: the next one is killed too, while it brings in what the first had left. */
  readonly twice?: boolean;
}

export interface KillRunOptions {
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly seconds: number;
  /** Events a second. */
  readonly rate: number;
  /** Killed once more while the load counts in ClickHouse what it was answered. */
  readonly whileCounting: Kill['whom'];
}

interface LoadReport {
  readonly answered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly strangers: number;
  readonly unanswered: number;
  readonly resent: number;
}

interface Load {
  /** When it first said that it sends. */
  begunAt: number;
  /** What it said so far. */
  readonly said: () => string;
  readonly ended: Promise<CommandResult>;
  end(): void;
}

/** Whatever was started ends with the run. */
const started: Server[] = [];

const READY_MS_MAX = 20_000;
const COUNTING = 'counting in ClickHouse';
/** The last part of a run is left alone, so that a slow restart does not push the last kill behind its end. */
const QUIET_SHARE = 0.3;
/** Batches are at most a second apart: a moment that does not come in this time does not exist. */
const HIT_MS_MAX = 20_000;
/** A load that lasts longer would hit the bound of its test. */
const SLOWNESS_MAX = 8;
const HOOK = new URL('./fault-hook.mjs', import.meta.url).href;

export async function killRun({ seed, kills, whileCounting, ...load }: KillRunOptions): Promise<void> {
  // Where others run, too, starts take longer: so does the load, with as many events.
  const slowness = Math.min(SLOWNESS_MAX, patient(1000) / 1000);
  await killUnderLoad({
    seed,
    kills,
    whileCounting,
    seconds: Math.ceil(load.seconds * slowness),
    rate: load.rate / slowness,
  });
}

async function killUnderLoad({ seed, kills, seconds, rate, whileCounting }: KillRunOptions): Promise<void> {
  const random = seeded(seed);
  const folder = temporaryFolder();
  const faults = join(folder.path, 'faults');
  mkdirSync(faults);
  let server = await startHooked(folder.path, faults);
  const load = startLoad(server.url, seconds, rate);
  try {
    await until(() => load.begunAt > 0, 'the load runs', 30_000);
    for (const [index, kill] of kills.entries()) {
      // One at a random time in each of equal parts of the run.
      const at = load.begunAt + ((index + random()) * (1 - QUIET_SHARE) * seconds * 1000) / kills.length;
      await until(() => performance.now() >= at, 'the time has come', seconds * 1000);
      const killed = await killOne(server, kill, faults);
      server = killed.next;
      print(`kill=${index + 1} of=${kill.whom} ${killed.hit} ${readiness(kill.whom, killed)}`);
      expect(killed.at, 'the load still sends').toBeLessThan(load.begunAt + seconds * 1000);
    }
    await until(() => load.said().includes(COUNTING), 'the load counts', (seconds + 120) * 1000);
    const last = await killOne(server, { whom: whileCounting, phase: 'random', moment: '' }, faults);
    server = last.next;
    print(`kill=while-counting of=${whileCounting} ${last.hit} ${readiness(whileCounting, last)}`);
    await checkEnd(server, await load.ended);
    expect(await server.stop()).toBe(0);
  } catch (error) {
    const said = `${load.said().slice(-2000)}\n${server.log().slice(-10_000)}`;
    throw new Error(`seed=${seed} ${(error as Error).message}\n${said}`, { cause: error });
  } finally {
    load.end();
    for (const one of started.splice(0)) await one.kill();
    await removed(folder);
  }
}

/** A killed ClickHouse may write a moment longer than its server lives. */
async function removed(folder: ReturnType<typeof temporaryFolder>): Promise<void> {
  const isRemoved = (): boolean => {
    try {
      folder.remove();
      return true;
    } catch {
      return false;
    }
  };
  await until(isRemoved, 'the folder is removed').catch(() => undefined);
}

async function startHooked(folder: string, faults: string, before?: Server): Promise<Server> {
  const { NODE_OPTIONS: options = '' } = process.env;
  process.env['NODE_OPTIONS'] = `${options} --import=${HOOK}`;
  process.env['HUNT_FAULT_FOLDER'] = faults;
  try {
    // The environment is taken at once.
    const starting = startServer({
      data: join(folder, 'data'),
      ...(before === undefined ? {} : { listen: hostOf(before.url), clickhouseListen: hostOf(before.clickhouse) }),
    });
    const server = await starting;
    started.push(server);
    return server;
  } finally {
    process.env['NODE_OPTIONS'] = options;
    delete process.env['HUNT_FAULT_FOLDER'];
  }
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function startLoad(url: string, seconds: number, rate: number): Load {
  const args = ['load', '--url', url, '--duration', `${seconds}s`, '--rate', String(Math.ceil(rate)), '--json'];
  const child = spawn(process.execPath, [join(root, 'dist', 'src', 'main.js'), ...args], { cwd: root });
  const load: Load & { begunAt: number } = {
    begunAt: 0,
    said: () => stderr,
    ended: new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr }))),
    end: () => void child.kill('SIGKILL'),
  };
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (load.begunAt === 0) load.begunAt = performance.now();
  });
  return load;
}

interface Killed {
  readonly hit: string;
  readonly at: number;
  readonly readyMs: number;
  readonly next: Server;
}

async function killOne(server: Server, kill: Kill, faults: string): Promise<Killed> {
  const killed = await (kill.whom === 'server' ? killServer : killClickHouse)(server, kill, faults);
  expect(killed.readyMs, `ready after ${killed.hit}\n${killed.next.log()}`).toBeLessThan(patient(READY_MS_MAX));
  return killed;
}

async function killServer(server: Server, kill: Kill, faults: string): Promise<Killed> {
  if (kill.phase === 'random') await server.kill();
  else {
    order(faults, kill, server.pid);
    await Promise.race([
      server.exited,
      until(() => false, `the server meets ${kill.phase} ${kill.moment}`, patient(HIT_MS_MAX)),
    ]);
    expect(taken(faults)).toBe(true);
  }
  let at = performance.now();
  let hit = phaseHit(kill, faults);
  if (kill.twice === true) {
    await killAtStart(server, faults);
    at = performance.now();
    hit += ' and again at start';
  }
  const next = await startHooked(join(faults, '..'), faults, server);
  return { hit, at, readyMs: Math.round(performance.now() - at), next };
}

/** Where the server gets ready before its first insert, soon after that. */
async function killAtStart(server: Server, faults: string): Promise<void> {
  order(faults, { whom: 'server', phase: 'insert-in-flight', moment: 'begun' }, 0);
  const next = await startHooked(join(faults, '..'), faults, server).catch(() => null);
  if (next !== null)
    await Promise.race([next.exited, until(() => false, 'an insert after the start', patient(HIT_MS_MAX))]);
  expect(taken(faults)).toBe(true);
}

async function killClickHouse(server: Server, kill: Kill, faults: string): Promise<Killed> {
  const pidNow = async (): Promise<number> =>
    (await server.get<{ clickhouse: { pid: number } }>('/v1/server')).clickhouse.pid;
  const pid = await pidNow();
  if (kill.phase === 'random') process.kill(pid, 'SIGKILL');
  else {
    order(faults, kill, pid);
    await until(() => taken(faults), `an insert meets ${kill.phase} ${kill.moment}`, patient(HIT_MS_MAX));
  }
  const at = performance.now();
  const hit = phaseHit(kill, faults);
  const answers = (): Promise<boolean> =>
    server.query('SELECT 1').then(
      () => true,
      () => false,
    );
  await until(async () => (await pidNow()) !== pid && (await answers()), 'ClickHouse is back', patient(READY_MS_MAX));
  return { hit, at, readyMs: Math.round(performance.now() - at), next: server };
}

function order(faults: string, { phase, moment }: Kill, pid: number): void {
  rmSync(join(faults, 'hit'), { force: true });
  writeFileSync(join(faults, 'order.new'), `${phase} ${moment} ${pid}`);
  renameSync(join(faults, 'order.new'), join(faults, 'order'));
}

function taken(faults: string): boolean {
  return existsSync(join(faults, 'hit'));
}

/** What was ordered, and what the other thread was at; of a random kill, what both were at. */
function phaseHit({ phase, moment }: Kill, faults: string): string {
  const now = readFileSync(join(faults, 'now'), 'utf8');
  const [spool, inserts] = [now.slice(0, 16).trim(), now.slice(16, 32).trim()];
  return `phase=${phase}${moment === '' ? '' : ` moment=${moment}`} spool=${spool} batch=${inserts}`;
}

/** Of the server with the rows that its start replayed. */
function readiness(whom: Kill['whom'], { readyMs, next }: Killed): string {
  const replayed = /"rows":(\d+),.*"msg":"recovered"/.exec(next.log())?.[1];
  return `ready_ms=${readyMs}${whom === 'server' ? ` replayed_rows=${replayed}` : ''}`;
}

/** Every answered event is in ClickHouse exactly once: says the load, says the audit, says a count. */
async function checkEnd(server: Server, load: CommandResult): Promise<void> {
  expect(load.code, load.stderr + load.stdout).toBe(0);
  const report = JSON.parse(load.stdout) as LoadReport;
  expect(report).toMatchObject({ lost: 0, duplicated: 0, strangers: 0, unanswered: 0 });
  const audit = await hunt(['audit', '--url', server.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  const [counted] = await server.query<{ n: number; ids: number }>(
    'SELECT toFloat64(count()) AS n, toFloat64(uniqExact(event_id)) AS ids FROM events',
  );
  expect(counted).toEqual({ n: report.answered, ids: report.answered });
  const { answered, lost, duplicated, resent } = report;
  print(`load exit=0 answered=${answered} stored=${counted.n} lost=${lost} duplicated=${duplicated} resent=${resent}`);
  print(`audit exit=0 ${audit.stdout.trim().split('\n').at(-1)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
