/**
 * Kafka and Flink: one broker, and the job of `flink/` in one JVM, both built by Maven. Two partitions and two subtasks on the
 * two ends, as many as cores; for the sample one of each, so that rows come in one order.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { streamIdentity } from '../../src/cli/load/frames/slot.ts';
import { packageRoot } from '../../src/system/compiled-url.ts';
import { startChild, type BenchChild } from '../load/children.ts';
import { makeEventList, type EventList } from './event-list.ts';
import { samplePhase } from './equal-rows.ts';
import { ListFrames } from './list-frames.ts';
import { PEER_COLUMNS, startPeerClickHouse, type PeerClickHouse } from './peer-clickhouse.ts';
import type { PhaseResult, System } from './systems.ts';

const folder = join(packageRoot(import.meta.url), 'bench', 'peers');
const CLASSES = `${join(folder, 'flink', 'target', 'classes')}:${join(folder, 'flink', 'target', 'lib')}/*`;
const BROKER_CLASSES = `${join(folder, 'kafka', 'target', 'lib')}/*`;
const JAVA_MIN = 17;
const BUILD_MS = 600_000;
const FORMAT_MS = 60_000;
const START_MS = 60_000;
const MARGIN_MS = 10_000;
const SEQ_BYTES = 9;
/** Packages that Flink opens by reflection. */
const OPENED = ['lang', 'util', 'util.concurrent', 'nio', 'time', 'net', 'io', 'text'];
const OPENS = OPENED.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`);
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

export const flink: System = {
  name: 'Kafka + Flink, heap state',
  guarantee:
    'acknowledged from the page cache of one broker; decisions and rows at least once; state as of the last checkpoint, 5 s',
  eventsPerSecond: 100_000,
  warmEvents: 1_500_000,
  missing: missingTools,
  async start(data, list, isSample) {
    const partitions = isSample ? 1 : 2;
    const clickhouse = await startPeerClickHouse(data);
    const kafka = await startBroker(data);
    const events = await makeEventList(list);
    const file = join(data, 'events.bin');
    writeFileSync(file, isSample ? sampleBytes(events) : events.bytes);
    const words = [kafka.address, file, String(events.timeAt), String(partitions)];
    const load = startChild('the load', 'java', ['-Xmx1g', QUIET, '-cp', CLASSES, 'peers.Load', ...words]);
    await load.line(START_MS);
    const job = await startJob(data, kafka.address, clickhouse, partitions);
    return {
      pids: { Kafka: kafka.broker.pid, Flink: job.pid, ClickHouse: clickhouse.pid },
      clickhouse: clickhouse.target,
      async load({ run, events: count, rate, timeoutMs, isSample: keep }) {
        load.write(`${run} ${count} ${rate} ${keep ? 1 : 0}`);
        return JSON.parse(await load.line(timeoutMs + MARGIN_MS)) as PhaseResult;
      },
      async stop() {
        for (const child of [load, job, kafka.broker]) await child.kill();
        await clickhouse.kill();
      },
    };
  },
};

function missingTools(): string | null {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0);
  if (version < JAVA_MIN) return `Java ${JAVA_MIN} or newer is not there (java -version)`;
  if (spawnSync('mvn', ['-version']).status !== 0) return 'Maven is not there (mvn -version)';
  const lib = '-DoutputDirectory=target/lib';
  for (const [project, goals] of [
    ['kafka', ['dependency:copy-dependencies', lib]],
    ['flink', ['compile', 'dependency:copy-dependencies', lib]],
  ] as const) {
    const words = ['-q', '-B', ...goals];
    const built = spawnSync('mvn', words, { cwd: join(folder, project), encoding: 'utf8', timeout: BUILD_MS });
    if (built.status !== 0)
      return `mvn ${goals[0]} failed in bench/peers/${project}: ${firstError(built.stdout ?? '')}`;
  }
  return null;
}

function firstError(text: string): string {
  return text.split('\n').find((line) => line.includes('ERROR')) ?? 'no reason given';
}

interface Broker {
  readonly address: string;
  readonly broker: BenchChild;
}

async function startBroker(data: string): Promise<Broker> {
  const [port, controller] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${port}`;
  const file = join(data, 'kafka.properties');
  writeFileSync(
    file,
    [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      `listeners=PLAINTEXT://${address},CONTROLLER://127.0.0.1:${controller}`,
      `advertised.listeners=PLAINTEXT://${address}`,
      'controller.listener.names=CONTROLLER',
      `log.dirs=${join(data, 'kafka')}`,
      'offsets.topic.replication.factor=1',
      'offsets.topic.num.partitions=2',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.replication.factor=1',
      'share.coordinator.state.topic.min.isr=1',
      'group.initial.rebalance.delay.ms=0',
      'num.network.threads=2',
      'num.io.threads=4',
    ].join('\n'),
  );
  const java = ['-cp', BROKER_CLASSES];
  const id = Buffer.from('peers-of-the-hunt').toString('base64url').slice(0, 22);
  execFileSync('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file], { timeout: FORMAT_MS });
  return { address, broker: startChild('Kafka', 'java', ['-Xms512m', '-Xmx1g', ...java, 'kafka.Kafka', file]) };
}

async function startJob(
  data: string,
  kafka: string,
  clickhouse: PeerClickHouse,
  parallelism: number,
): Promise<BenchChild> {
  const checkpoints = join(data, 'checkpoints');
  mkdirSync(checkpoints);
  const { origin, pathname, username, password } = new URL(clickhouse.url);
  const insert = new URL(origin);
  const columns = PEER_COLUMNS.map(([name]) => name).join(', ');
  insert.searchParams.set('user', username);
  insert.searchParams.set('password', password);
  insert.searchParams.set('database', pathname.slice(1));
  insert.searchParams.set('query', `INSERT INTO events (${columns}) FORMAT RowBinary`);
  const words = [kafka, insert.href, checkpoints, String(parallelism)];
  const job = startChild('Flink', 'java', ['-Xmx3g', ...OPENS, QUIET, '-cp', CLASSES, 'peers.Job', ...words]);
  await job.line(START_MS);
  return job;
}

/** Events of the sample with the ids and times that the other systems get. */
function sampleBytes(list: EventList): Buffer {
  const { run, eventsPerFrame } = samplePhase(list.count);
  const shape = { run, eventsPerFrame, encoding: 'protobuf', connection: 0, connections: 1, isSample: true } as const;
  const frames = new ListFrames(list, shape);
  const pieces = Array.from({ length: list.count / eventsPerFrame }, (_, i) => {
    const frame = Buffer.alloc(frames.bytes(i + 1));
    frames.write(frame, 0, i + 1, streamIdentity(run), 0);
    return frame.subarray(frames.bytes(i + 1) - frames.bodyBytes(i + 1) + SEQ_BYTES);
  });
  return Buffer.concat(pieces);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
