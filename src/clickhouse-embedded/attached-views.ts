/**
 * Materialized views of clients that hang at the engine's own tables: they run inside its inserts. An error in one of them
 * never fails the insert (`materialized_views_ignore_errors`, see settings.ts); one that takes too long, or the memory that
 * the insert needs, is taken off here, so that storing goes on without it. Called by run-statement.ts for each insert of the
 * engine. Child process.
 */
import type { ChdbConnection } from './chdb.ts';
import { EngineFailure } from './engine-failure.ts';
import type { Target } from './command-targets.ts';
import { nameLiteral, stringLiteral } from './lexer.ts';
import type { EmbeddedServer } from './embedded-server.ts';

interface View {
  readonly database: string;
  readonly name: string;
}

const MEMORY_LIMIT_EXCEEDED = 241;

/** Runs the insert; a failed one is retried by whoever sent it, and then meets no such view any more. */
export async function insertPastViews<Result>(
  warehouse: EmbeddedServer,
  target: Target,
  kill: () => Promise<void>,
  insert: () => Promise<Result>,
): Promise<Result> {
  if (!warehouse.rules.protectedDatabases.has(target.database.toLowerCase())) return insert();
  let isTooSlow = false;
  const stop = async (): Promise<void> => {
    if ((await views(warehouse, target)).length === 0) return;
    isTooSlow = true;
    await kill();
  };
  const timer = setTimeout(
    () => void stop().catch((cause: unknown) => complain(warehouse, cause)),
    warehouse.viewPatienceMs,
  );
  try {
    const result = await insert();
    // It may have ended just before it was stopped: the view is as slow all the same.
    if (isTooSlow) await takeOff(warehouse, target, 'slow');
    return result;
  } catch (cause) {
    const isFull = EngineFailure.of(cause).clickhouseCode === MEMORY_LIMIT_EXCEEDED;
    if (isTooSlow || isFull) await takeOff(warehouse, target, isTooSlow ? 'slow' : 'memory');
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

/** How many hang at the tables of these databases. */
export async function countAttached(
  connection: ChdbConnection,
  protectedDatabases: ReadonlySet<string>,
): Promise<number> {
  const databases = [...protectedDatabases].map(stringLiteral).join(', ');
  const counted = await connection.run(
    `SELECT sum(length(arrayFilter(d -> lower(d) NOT IN (${databases}), dependencies_database)))
     FROM system.tables WHERE lower(database) IN (${databases}) AND lower(database) NOT IN ('system', 'information_schema')`,
  );
  return Number(counted.text());
}

async function takeOff(warehouse: EmbeddedServer, target: Target, why: 'slow' | 'memory'): Promise<void> {
  for (const { database, name } of await views(warehouse, target)) {
    const view = `${nameLiteral(database)}.${nameLiteral(name)}`;
    const reason =
      why === 'slow'
        ? `an insert into it took longer than ${warehouse.viewPatienceMs} ms`
        : 'an insert into it ran out of memory';
    warehouse.log('warn', 'a materialized view of a client was taken off a table of the engine', {
      view,
      table: `${target.database}.${target.table}`,
      reason: `${reason}; its rows stay, it gets no new ones. Create it again with REFRESH EVERY`,
    });
    await withEngine(warehouse, (connection) => connection.run(`DETACH TABLE ${view} PERMANENTLY`)).catch(
      (cause: unknown) => complain(warehouse, cause),
    );
  }
}

async function views(warehouse: EmbeddedServer, { database, table }: Target): Promise<View[]> {
  const query = `SELECT arrayJoin(arrayZip(dependencies_database, dependencies_table)) AS v
    FROM system.tables WHERE database = ${stringLiteral(database)} AND name = ${stringLiteral(table ?? '')}`;
  const text = await withEngine(warehouse, async (connection) =>
    (await connection.run(query, 'JSONCompactEachRow')).text(),
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as [[string, string]])[0])
    .map(([inDatabase, name]) => ({ database: inDatabase, name }))
    .filter((view) => !warehouse.rules.protectedDatabases.has(view.database.toLowerCase()));
}

async function withEngine<Result>(
  warehouse: EmbeddedServer,
  work: (connection: ChdbConnection) => Promise<Result>,
): Promise<Result> {
  const connection = warehouse.engine.connect(new Map());
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

function complain(warehouse: EmbeddedServer, cause: unknown): void {
  warehouse.log('error', 'a materialized view at a table of the engine could not be taken off', {
    cause: String(cause),
  });
}
