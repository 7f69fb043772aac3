/**
 * Everything the front needs to run queries: chDB, its query slots, the body folder, the rules. Built once by child.ts.
 * Child process.
 */
import { availableParallelism } from 'node:os';
import { openBodySpool, type BodySpool } from './body-spool.ts';
import { openChdb, type ChdbConnection, type ChdbEngine } from './chdb.ts';
import type { Folders } from './folders.ts';
import type { GuardRules } from './guard.ts';
import { createQuerySlots, type QuerySlots } from './query-slots.ts';
import { watchMemory } from './memory-watch.ts';
import {
  ENGINE_READERS,
  ENGINE_WRITERS,
  OWN_MEMORY_SHARE,
  PUBLIC_WRITERS,
  REFRESH_MEMORY_SHARE,
} from './child-bounds.ts';
import type { OwnBounds } from './child-bounds.ts';
import type { ChildConfiguration, ChildLogLevel } from './protocol.ts';
import { makeDefaultPlain } from './plain-default.ts';
import { openResultPipe, pipePaths, type ResultPipe } from './result-pipe.ts';
import { writeServerConfiguration } from './server-configuration.ts';
import type { SettingsCatalog } from './settings.ts';

/** Of the engine itself; the last one holds what a statement keeps for its own time. */
const ENGINE_DATABASES = ['system', 'information_schema', '_temporary_and_external_tables'];

/** Of the process's bound, for one query of a client. */
const QUERY_MEMORY_SHARE = 0.3;

export type ChildLog = (level: ChildLogLevel, message: string, fields?: Record<string, unknown>) => void;

export interface EmbeddedServer {
  readonly engine: ChdbEngine;
  readonly spool: BodySpool;
  readonly rules: GuardRules;
  readonly catalog: SettingsCatalog;
  readonly ownBounds: OwnBounds;
  /** How long an insert of the engine may take while views of clients hang at its table. */
  readonly viewPatienceMs: number;
  readonly publicReads: QuerySlots<ResultPipe>;
  readonly engineReads: QuerySlots<ResultPipe>;
  readonly publicWrites: QuerySlots<number>;
  readonly engineWrites: QuerySlots<number>;
  readonly log: ChildLog;
  /** Statements running or waiting to run; stopping waits for zero. */
  readonly running: number;
  close(): void;
}

export async function openEmbeddedServer(
  folders: Folders,
  configuration: ChildConfiguration,
  log: ChildLog,
): Promise<EmbeddedServer> {
  const spool = openBodySpool(folders.requests);
  writeServerConfiguration(folders.configuration, {
    memoryMaxBytes: configuration.memoryMaxBytes,
    cores: availableParallelism(),
    userFiles: folders.userFiles,
  });
  const engine = await openChdb(folders.engine, folders.configuration);
  await makeDefaultPlain(engine);
  const settings = await settingNames(engine);
  const memory = watchMemory(engine, configuration.memoryMaxBytes, log);
  const pipes = pipePaths(folders.requests, configuration.readers + ENGINE_READERS).map(openResultPipe);
  const publicReads = createQuerySlots('reads', pipes.slice(0, configuration.readers));
  const engineReads = createQuerySlots('engine-reads', pipes.slice(configuration.readers));
  const publicWrites = createQuerySlots('writes', slotNumbers(PUBLIC_WRITERS));
  const engineWrites = createQuerySlots('engine-writes', slotNumbers(ENGINE_WRITERS));
  const protectedDatabases = [...ENGINE_DATABASES, ...configuration.protectedDatabases];
  return {
    engine,
    spool,
    rules: {
      protectedDatabases: new Set(protectedDatabases.map((name) => name.toLowerCase())),
    },
    // Two at once still leave the engine's inserts their share of what is counted.
    catalog: { known: settings, queryMemoryBytes: Math.floor(configuration.memoryMaxBytes * QUERY_MEMORY_SHARE) },
    viewPatienceMs: configuration.viewPatienceMs,
    ownBounds: {
      bytesMax: configuration.ownBytesMax,
      memoryBytesMax: Math.floor(configuration.memoryMaxBytes * OWN_MEMORY_SHARE),
      refreshMemoryBytes: Math.floor(configuration.memoryMaxBytes * REFRESH_MEMORY_SHARE),
    },
    publicReads,
    engineReads,
    publicWrites,
    engineWrites,
    log,
    get running() {
      return publicReads.running + engineReads.running + publicWrites.running + engineWrites.running;
    },
    close() {
      memory.stop();
      for (const pipe of pipes) pipe.close();
      engine.close();
    },
  };
}

async function settingNames(engine: ChdbEngine): Promise<Set<string>> {
  const connection: ChdbConnection = engine.connect(new Map());
  try {
    return new Set((await connection.run('SELECT name FROM system.settings')).text().trim().split('\n'));
  } finally {
    connection.close();
  }
}

function slotNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, slot) => slot);
}
