/**
 * Clients' own databases are bounded, so that what the engine stores comes first: their number, their tables, their bytes on
 * disk and in memory, and the disk that must stay free. Looked at before a client writes, while it writes, and now and then
 * for views that refresh themselves. Child process.
 */
import { countAttached } from './attached-views.ts';
import type { Command } from './command-targets.ts';
import type { ChdbConnection } from './chdb.ts';
import { EngineFailure } from './engine-failure.ts';
import type { Reading } from './guard.ts';
import { isKeyword, nameLiteral, stringLiteral } from './lexer.ts';
import {
  ATTACHED_VIEWS_MAX,
  OWN_DATABASES_MAX,
  OWN_SPACE_LOOK_MS,
  OWN_SPACE_WATCH_MS,
  OWN_TABLES_MAX,
  REFRESHING_VIEWS_MAX,
  REFRESH_SECONDS_MAX,
} from './child-bounds.ts';
import { hasTrailingSettings, type CommandStatement } from './statement.ts';
import type { EmbeddedServer } from './embedded-server.ts';

interface Space {
  readonly databases: number;
  readonly tables: number;
  readonly bytes: number;
  readonly memoryBytes: number;
}

/** Before a command: what makes room is never refused, what takes some is while there is none. */
export async function refuseWithoutRoom(
  connection: ChdbConnection,
  warehouse: EmbeddedServer,
  { verb, object }: Command,
  { attaches, refreshes }: Reading,
): Promise<void> {
  if (verb !== 'CREATE' && verb !== 'INSERT') return;
  const space = await spaceOf(connection, warehouse);
  refuseFull(warehouse, space);
  if (verb !== 'CREATE') return;
  if (refreshes) {
    const refreshing = Number((await connection.run('SELECT count() FROM system.view_refreshes')).text());
    if (refreshing >= REFRESHING_VIEWS_MAX)
      full(`views that refresh themselves=${refreshing} REFRESHING_VIEWS_MAX=${REFRESHING_VIEWS_MAX}; drop one`);
  }
  if (object === 'DATABASE' && space.databases >= OWN_DATABASES_MAX)
    full(`databases=${space.databases} OWN_DATABASES_MAX=${OWN_DATABASES_MAX}; drop one`);
  if (object !== 'DATABASE' && space.tables >= OWN_TABLES_MAX)
    full(`tables=${space.tables} OWN_TABLES_MAX=${OWN_TABLES_MAX}; drop some`);
  if (!attaches) return;
  const attached = await countAttached(connection, warehouse.rules.protectedDatabases);
  if (attached >= ATTACHED_VIEWS_MAX)
    full(
      `views at the engine's tables=${attached} ATTACHED_VIEWS_MAX=${ATTACHED_VIEWS_MAX}; drop one, or let it REFRESH`,
    );
}

/** Stops a write of a client that outgrows the space. */
export async function writeInBounds<Result>(
  warehouse: EmbeddedServer,
  connection: ChdbConnection,
  kill: () => Promise<void>,
  write: () => Promise<Result>,
): Promise<Result> {
  refuseFull(warehouse, await spaceOf(connection, warehouse));
  let failure: EngineFailure | undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking || failure !== undefined) return;
    isLooking = true;
    try {
      refuseFull(warehouse, await ownSpace(warehouse));
    } catch (cause) {
      failure = EngineFailure.of(cause);
      await kill();
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), OWN_SPACE_LOOK_MS);
  try {
    return await write();
  } catch (cause) {
    throw failure ?? cause;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Views that refresh themselves write when nobody asks: full, they pause until there is room. Returns the end of the watch.
 */
export function watchOwnSpace(warehouse: EmbeddedServer): () => void {
  let isPaused = false;
  let isLooking = false;
  const look = async (): Promise<void> => {
    const names = await refreshingViews(warehouse);
    if (names.length === 0) return;
    const isFull = isOver(warehouse, await ownSpace(warehouse));
    if (isFull === isPaused) return;
    isPaused = isFull;
    for (const name of names) await runOnce(warehouse, `SYSTEM ${isFull ? 'STOP' : 'START'} VIEW ${name}`);
    warehouse.log(
      'warn',
      isFull ? 'views of clients refresh no more: their space is full' : 'views of clients refresh again',
      {
        views: names.length,
      },
    );
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look()
      .catch((cause: unknown) =>
        warehouse.log('warn', 'the space of clients could not be looked at', { cause: String(cause) }),
      )
      .finally(() => (isLooking = false));
  }, OWN_SPACE_WATCH_MS);
  return () => clearInterval(timer);
}

/** The statement with bounds for each refresh: it runs in the background, where no connection's settings hold. */
export function withRefreshLimits({ ownBounds }: EmbeddedServer, { text, tokens }: CommandStatement): string {
  const comment = tokens.findLastIndex((token) => isKeyword(token, 'COMMENT'));
  if (comment === tokens.length - 2 && comment > 0)
    throw new EngineFailure(
      48,
      'NOT_IMPLEMENTED',
      'COMMENT at the end of a view that refreshes itself is not supported',
    );
  const limits = `max_threads = 1, max_memory_usage = ${ownBounds.refreshMemoryBytes}, max_execution_time = ${REFRESH_SECONDS_MAX}`;
  return hasTrailingSettings(tokens) ? `${text}, ${limits}` : `${text}\nSETTINGS ${limits}`;
}

async function spaceOf(connection: ChdbConnection, { rules }: EmbeddedServer): Promise<Space> {
  // As they are written, so that the engine need not look into the tables of the others.
  const others = ['INFORMATION_SCHEMA', ...rules.protectedDatabases].map(stringLiteral).join(', ');
  const counted = await connection.run(
    `SELECT (SELECT count() FROM system.databases WHERE name NOT IN (${others}, 'default')), count(),
       sum(ifNull(total_bytes, 0)), sumIf(ifNull(total_bytes, 0), engine IN ('Memory', 'Set', 'Join'))
     FROM system.tables WHERE database NOT IN (${others})`,
    'TSV',
  );
  const [databases = 0, tables = 0, bytes = 0, memoryBytes = 0] = counted.text().trim().split('\t').map(Number);
  return { databases, tables, bytes, memoryBytes };
}

async function ownSpace(warehouse: EmbeddedServer): Promise<Space> {
  const connection = warehouse.engine.connect(new Map());
  try {
    return await spaceOf(connection, warehouse);
  } finally {
    connection.close();
  }
}

async function refreshingViews(warehouse: EmbeddedServer): Promise<string[]> {
  const text = await runOnce(warehouse, 'SELECT database, view FROM system.view_refreshes');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as [string, string]).map(nameLiteral).join('.'));
}

async function runOnce(warehouse: EmbeddedServer, statement: string): Promise<string> {
  const connection = warehouse.engine.connect(new Map());
  try {
    return (await connection.run(statement, 'JSONCompactEachRow')).text();
  } finally {
    connection.close();
  }
}

function isOver({ ownBounds }: EmbeddedServer, { bytes, memoryBytes }: Space): boolean {
  return bytes > ownBounds.bytesMax || memoryBytes > ownBounds.memoryBytesMax;
}

function refuseFull(warehouse: EmbeddedServer, space: Space): void {
  const { bytesMax, memoryBytesMax } = warehouse.ownBounds;
  if (!isOver(warehouse, space)) return;
  if (space.memoryBytes > memoryBytesMax)
    full(
      `memory_bytes=${space.memoryBytes} memory_bytes_max=${memoryBytesMax}; drop tables of the engines Memory, Set, Join`,
    );
  full(`bytes=${space.bytes} bytes_max=${bytesMax}; drop tables or partitions`);
}

function full(reason: string): never {
  throw new EngineFailure(201, 'QUOTA_EXCEEDED', `Databases of one's own are full: ${reason}`);
}
