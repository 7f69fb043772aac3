/**
 * Runs one statement on a connection of its own and answers the client. Three ways, by kind: rows out (through a pipe), data in (from a
 * file), neither. Called by front.ts once the body has been read. Child process.
 */
import { commonHeaders, resultHeaders, summaryHeader, type HeaderContext } from './answer-headers.ts';
import type { SpooledBody } from './body-spool.ts';
import type { NameContext } from './command-targets.ts';
import type { Answer, Connection } from './engine.ts';
import { EngineFailure } from './engine-failure.ts';
import { guardCommand, guardFormat, guardInsert, guardRead, guardSyntax } from './guard.ts';
import { nameLiteral, stringLiteral } from './lexer.ts';
import type { Reply } from './reply.ts';
import { responseEncoding, type Request } from './request.ts';
import { sendFile } from './send-file.ts';
import { settingsFor } from './settings.ts';
import type { CommandStatement, InsertStatement, ReadStatement, Statement } from './statement.ts';
import { streamResult } from './stream-result.ts';
import { syntaxTree } from './syntax-tree.ts';
import type { Warehouse } from './warehouse.ts';

export interface Query {
  readonly request: Request;
  readonly user: 'engine' | 'public';
  readonly reply: Reply;
  readonly headers: HeaderContext;
  /** Unique in this process; found again in system.processes. */
  readonly runId: string;
}

/** Throws EngineFailure before anything runs; called as early as the statement is known. */
export function guard(warehouse: Warehouse, query: Query, statement: Statement): void {
  const { request } = query;
  if (request.method === 'get' && statement.kind !== 'read') {
    throw new EngineFailure(
      164,
      'READONLY',
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. Use POST',
    );
  }
  if (query.user === 'engine') return;
  const context = nameContext(request);
  guardFormat(request.defaultFormat);
  if (statement.kind === 'read') guardRead(context, statement);
  else if (statement.kind === 'insert') guardInsert(warehouse.rules, context, statement);
  else guardCommand(warehouse.rules, context, statement);
}

export async function runRead(warehouse: Warehouse, query: Query, statement: ReadStatement): Promise<void> {
  const { request, reply } = query;
  const format = formatName(statement.format ?? request.defaultFormat);
  const encoding = responseEncoding(request.acceptEncoding);
  const compression = encoding === undefined ? '' : ` COMPRESSION '${encoding.engine}' LEVEL 1`;
  const statementInto = (path: string): string =>
    `${statement.text}\nINTO OUTFILE ${stringLiteral(path)} TRUNCATE${compression} FORMAT ${format}`;
  const headers = resultHeaders(query.headers, format, encoding?.header);
  const lane = query.user === 'engine' ? warehouse.engineReads : warehouse.publicReads;
  const file = request.isBuffered ? warehouse.spool.create() : undefined;
  try {
    const answer = await lane.with((pipe) =>
      withConnection(warehouse, query, statement.settings, true, async (connection) => {
        await guardAsRead(warehouse, query, statement, connection);
        const run = (path: string): Promise<Answer> => runClean(connection, statement.text, statementInto(path));
        return file === undefined ? streamResult(pipe, reply, headers, () => run(pipe.path)) : run(file.path);
      }),
    );
    // A buffered result no longer needs the engine: a slow client holds a file, not a slot.
    if (file !== undefined) await sendFile(file.path, reply, { ...headers, ...summaryHeader(answer, false) });
  } finally {
    file?.remove();
  }
}

export async function runInsert(
  warehouse: Warehouse,
  query: Query,
  statement: InsertStatement,
  body: SpooledBody,
  encoding: string | undefined,
): Promise<void> {
  body.seal();
  const compression = encoding === undefined ? '' : ` COMPRESSION '${encoding}'`;
  const text = `${statement.head} FROM INFILE ${stringLiteral(body.path)}${compression} FORMAT ${formatName(statement.format)}`;
  const lane = query.user === 'engine' ? warehouse.engineWrites : warehouse.publicWrites;
  const answer = await lane.with(() =>
    withConnection(warehouse, query, statement.settings, false, (connection) =>
      hidePath(connection.run(text), body.path),
    ),
  );
  query.reply.whole(200, { ...commonHeaders(query.headers), ...summaryHeader(answer, true) }, '');
}

export async function runCommand(warehouse: Warehouse, query: Query, statement: CommandStatement): Promise<void> {
  const format = formatName(query.request.defaultFormat);
  const lane = query.user === 'engine' ? warehouse.engineWrites : warehouse.publicWrites;
  const answer = await lane.with(() =>
    withConnection(warehouse, query, new Map(), false, async (connection) => {
      await guardAsRead(warehouse, query, statement, connection);
      return connection.run(statement.text, format);
    }),
  );
  const headers = {
    ...resultHeaders(query.headers, format, undefined),
    ...summaryHeader(answer, statement.target !== undefined),
  };
  query.reply.whole(200, headers, answer.bytes());
}

/** The second look, at what the engine's own parser makes of the statement; it costs a parse (see guard.ts). */
async function guardAsRead(
  warehouse: Warehouse,
  query: Query,
  statement: ReadStatement | CommandStatement,
  connection: Connection,
): Promise<void> {
  if (query.user === 'engine') return;
  const nodes = syntaxTree(await explainSyntax(connection, statement.text));
  const views = guardSyntax(warehouse.rules, nameContext(query.request), statement, nodes);
  for (const view of views) await refuseUnlessView(connection, view);
}

/** A view with parameters is called as a function is; nothing else that no list knows may be. */
async function refuseUnlessView(connection: Connection, name: string): Promise<void> {
  const dot = name.indexOf('.');
  const database = dot < 0 ? 'currentDatabase()' : stringLiteral(name.slice(0, dot));
  const table = stringLiteral(name.slice(dot + 1));
  const found = await connection.run(
    `SELECT count() FROM system.tables WHERE database = ${database} AND name = ${table} AND engine = 'View'`,
  );
  if (found.text() !== '1\n')
    throw new EngineFailure(
      46,
      'UNKNOWN_FUNCTION',
      `Unknown table function ${name}, and there is no view of that name`,
    );
}

function nameContext(request: Request): NameContext {
  return { database: request.database === '' ? 'default' : request.database, parameters: request.parameters };
}

/** A fresh connection with the query's settings, database and parameters; killed when the client goes away. */
async function withConnection<Result>(
  warehouse: Warehouse,
  query: Query,
  statementSettings: ReadonlyMap<string, string>,
  isRead: boolean,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { request, reply } = query;
  if (reply.isAborted) throw new EngineFailure(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled: the client has gone');
  const isTrusted = query.user === 'engine';
  const settings = settingsFor(warehouse.catalog, new Map([...request.settings, ...statementSettings]), isTrusted);
  settings.set('log_comment', query.runId);
  if (isRead && !isTrusted) settings.set('readonly', '1');
  // A body is read, not mapped, as the default would have it: mapped it counts as resident, 100 MB for the largest batch, and is no faster.
  if (!isRead) settings.set('storage_file_read_method', 'pread');
  const connection = warehouse.engine.connect(settings);
  try {
    if (request.database !== 'default' && request.database !== '')
      await connection.run(`USE ${nameLiteral(request.database)}`);
    if (request.parameters.size > 0) await connection.run(setParameters(request.parameters));
    // Reads are stopped; an insert whose body has arrived whole runs to its end, so that a retry meets a settled state.
    if (isRead) reply.whenAborted(() => void killQuery(warehouse, query.runId));
    return await work(connection);
  } finally {
    connection.close();
  }
}

function setParameters(parameters: ReadonlyMap<string, string>): string {
  const pairs: string[] = [];
  for (const [name, value] of parameters) {
    if (!/^\w+$/.test(name))
      throw new EngineFailure(36, 'BAD_ARGUMENTS', `Query parameter name ${JSON.stringify(name)} is not a word`);
    pairs.push(`param_${name} = ${stringLiteral(value)}`);
  }
  return `SET ${pairs.join(', ')}`;
}

async function killQuery(warehouse: Warehouse, runId: string): Promise<void> {
  const connection = warehouse.engine.connect(new Map());
  try {
    await connection.run(`KILL QUERY WHERE Settings['log_comment'] = ${stringLiteral(runId)} ASYNC`);
  } catch (cause) {
    warehouse.log('warn', 'a query whose client has gone could not be cancelled; it ends by its time limit', {
      cause: String(cause),
    });
  } finally {
    connection.close();
  }
}

/** Runs the rewritten text; a syntax error is reported on the text as the client wrote it. */
async function runClean(connection: Connection, original: string, rewritten: string): Promise<Answer> {
  try {
    return await connection.run(rewritten);
  } catch (cause) {
    const failure = EngineFailure.of(cause);
    if (failure.clickhouseCode === 62) await explainSyntax(connection, original);
    throw failure;
  }
}

/** The engine's syntax tree as text; fails as the statement itself would. */
async function explainSyntax(connection: Connection, original: string): Promise<string> {
  const prefix = 'EXPLAIN AST ';
  try {
    return (await connection.run(prefix + original, 'TSVRaw')).text();
  } catch (cause) {
    const failure = EngineFailure.of(cause);
    const message = failure.message.replace(
      /failed at position (\d+)/,
      (_, position: string) => `failed at position ${Math.max(1, Number(position) - prefix.length)}`,
    );
    throw new EngineFailure(failure.clickhouseCode, failure.clickhouseName, message, { cause });
  }
}

/** The client sent a body, not a file: the engine's messages name one. */
async function hidePath<Result>(running: Promise<Result>, path: string): Promise<Result> {
  try {
    return await running;
  } catch (cause) {
    const failure = EngineFailure.of(cause);
    let message = failure.message.replaceAll(path, 'request body');
    if (failure.clickhouseCode === 344 && message.includes('Interpreting expressions'))
      message = 'A value of VALUES is data here and not an expression; compute it with INSERT INTO ... SELECT instead';
    throw new EngineFailure(failure.clickhouseCode, failure.clickhouseName, message, { cause });
  }
}

/** The name goes into the statement's text, so it must be nothing but a name. */
function formatName(format: string): string {
  if (/^\w+$/.test(format)) return format;
  throw new EngineFailure(73, 'UNKNOWN_FORMAT', `Unknown format ${JSON.stringify(format)}`);
}
