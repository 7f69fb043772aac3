/**
 * The embedded ClickHouse's process. Forked by start-clickhouse.ts, by way of walls/launcher.ts; runs nothing but this. Its
 * life hangs on the IPC channel: when the parent is gone it kills itself at once, because leaving politely takes seconds in
 * which the folder stays locked (see FACTS).
 */
import { mkdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatingError } from '../errors.ts';
import { foldersOf } from './folders.ts';
import { openFront, type Front } from './front.ts';
import { POLL_MS, STOP_DRAIN_MS } from './child-bounds.ts';
import { watchOwnSpace } from './own-space.ts';
import { recordProcess } from './predecessor.ts';
import type { ChildConfiguration, ToChild, ToParent } from './protocol.ts';
import { loadNative } from './walls/libc.ts';
import type { Wall } from './walls/report.ts';
import { raiseSeccomp } from './walls/seccomp.ts';
import { openEmbeddedServer, type ChildLog, type EmbeddedServer } from './embedded-server.ts';

const leave = (): void => process.kill(process.pid, 'SIGKILL') as unknown as void;

const send = (message: ToParent, sent: () => void = () => undefined): void => {
  if (process.send === undefined || !process.connected) leave();
  else process.send(message, undefined, {}, sent);
};

const log: ChildLog = (level, message, fields = {}) => send({ type: 'log', level, message, fields });

let stopping: Promise<void> | undefined;
let endWatch = (): void => undefined;
let opened: { warehouse: EmbeddedServer; front: Front } | undefined;

process.on('disconnect', leave);
// Ctrl-C and a service manager's SIGTERM reach the whole process group; the parent decides in which order things stop.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('message', (message: ToChild) => {
  if (message.type === 'start') void start(message.configuration);
  else if (message.type === 'watermark') opened?.front.showWatermark(message.time);
  else void stop();
});
process.on('uncaughtException', (cause) => {
  log('error', 'embedded ClickHouse ends because of a broken invariant', { cause: cause.stack ?? String(cause) });
  send({ type: 'failed', code: 'embedded_broken', message: String(cause), retryable: true }, leave);
});

await greet();

/** Raises what launcher.ts could not, and tells the parent which walls stand. */
async function greet(): Promise<void> {
  const walls = JSON.parse(process.env['HUNT_WALLS'] ?? '[]') as Wall[];
  delete process.env['HUNT_WALLS'];
  const native = await loadNative();
  if (typeof native !== 'string') walls.push(...raiseSeccomp(native));
  send({ type: 'hello', walls });
}

async function start(configuration: ChildConfiguration): Promise<void> {
  try {
    // Before the engine creates its threads: on Linux they inherit it one by one. Ingest wins the processor.
    setPriority(configuration.niceness);
    const folders = foldersOf(configuration.dataDirectory);
    mkdirSync(folders.engine, { recursive: true });
    recordProcess(folders.processRecord, { pid: process.ppid, startedAt: configuration.parentStartedAt });
    const warehouse = await openEmbeddedServer(folders, configuration, log);
    const front = await openFront(warehouse, configuration);
    opened = { warehouse, front };
    endWatch = watchOwnSpace(warehouse);
    send({ type: 'ready', port: front.port, version: warehouse.engine.version });
  } catch (cause) {
    const code = cause instanceof OperatingError ? cause.code : 'embedded_start_failed';
    const message = cause instanceof Error ? cause.message : String(cause);
    const retryable = cause instanceof OperatingError && cause.retryable;
    send({ type: 'failed', code, message, retryable }, leave);
  }
}

/** No new connections, let what runs end, close the engine, leave. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    if (opened !== undefined) {
      const { warehouse, front } = opened;
      endWatch();
      front.stopListening();
      for (let waitedMs = 0; warehouse.running > 0 && waitedMs < STOP_DRAIN_MS; waitedMs += POLL_MS)
        await pause(POLL_MS);
      front.close();
      // Closing under a running query would abort the engine; the kill below is safe, for whatever was confirmed is on disk.
      if (warehouse.running === 0) warehouse.close();
    }
    leave();
  })();
  return stopping;
}
