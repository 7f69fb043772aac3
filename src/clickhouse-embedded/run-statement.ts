/**
 * Runs one statement on a connection of its own and answers the client. Three ways, by kind: rows out (through a pipe), data
 * in (from a file), neither. Called by front.ts once the body has been read. Child process.
 */
import { commonHeaders, resultHeaders, summaryHeader, type HeaderContext } from './answer-headers.ts';
import type { SpooledBody } from './body-spool.ts';
import { insertPastViews } from './attached-views.ts';
import { commandOf, type NameContext } from './command-targets.ts';
import type { QueryResult, ChdbConnection } from './chdb.ts';
import { compressedBlocks } from './codecs/compressed-blocks.ts';
import { nativeOfRevision } from './codecs/native-revision.ts';
import { chain, recoded, type Recoder } from './codecs/recoder.ts';
import { EngineFailure } from './engine-failure.ts';
import { guardCommand, guardFormat, guardInsert, guardRead } from './guard.ts';
import { isKeyword, isName, isSymbol, nameLiteral, stringLiteral, type SqlToken } from './lexer.ts';
import { refuseWithoutRoom, withRefreshLimits, writeInBounds } from './own-space.ts';
import type { Headers, Reply } from './reply.ts';
import { responseEncoding, type Request } from './request.ts';
import { explainSyntax, lookAgain, lookAtInsert } from './second-look.ts';
import { replyWithFile } from './reply-with-file.ts';
import { settingsFor } from './settings.ts';
import type { CommandStatement, InsertStatement, InsertTarget, ReadStatement, Statement } from './statement.ts';
import { forgetResult, writeInBound } from './result-files.ts';
import { streamResult } from './stream-result.ts';
import type { EmbeddedServer } from './embedded-server.ts';

export interface Query {
  readonly request: Request;
  readonly user: 'engine' | 'public';
  readonly reply: Reply;
  readonly headers: HeaderContext;
  /** Unique in this process; found again in system.processes. */
  readonly runId: string;
}

/** Throws EngineFailure before anything runs; called as early as the statement is known. */
export function guard(warehouse: EmbeddedServer, query: Query, statement: Statement): void {
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

export async function runRead(warehouse: EmbeddedServer, query: Query, statement: ReadStatement): Promise<void> {
  const { request } = query;
  const format = formatName(statement.format ?? request.defaultFormat);
  const reply = recodedFor(request, format, query.reply);
  // What is recoded here is not packed by the engine before.
  const encoding = reply === query.reply ? responseEncoding(request.acceptEncoding) : undefined;
  const compression = encoding === undefined ? '' : ` COMPRESSION '${encoding.engine}' LEVEL 1`;
  const statementInto = (path: string): string =>
    `${statement.text}\nINTO OUTFILE ${stringLiteral(path)} TRUNCATE${compression} FORMAT ${format}`;
  const headers = resultHeaders(query.headers, format, encoding?.header);
  const slots = query.user === 'engine' ? warehouse.engineReads : warehouse.publicReads;
  const file = request.isBuffered ? warehouse.spool.create() : undefined;
  try {
    const answer = await slots.with((pipe) =>
      withConnection(warehouse, query, statement.settings, readingOf(statement), async (connection) => {
        if (query.user === 'public') await lookAgain(connection, warehouse.rules, nameContext(request), statement);
        // Who left during the look has had it cancelled, and not what would run now.
        refuseGone(query);
        if (isTreeWanted(statement)) return wholeAnswer(connection, statement.text, format, reply, headers);
        const run = (path: string): Promise<QueryResult> => runClean(connection, statement.text, statementInto(path));
        return file === undefined
          ? streamResult(pipe, reply, headers, () => run(pipe.path))
          : writeInBound(
              file.path,
              () => killQuery(warehouse, query.runId),
              () => run(file.path),
            );
      }),
    );
    // A buffered result no longer needs the engine: a slow client holds a file, not a slot.
    if (file !== undefined && !reply.isAnswered)
      await replyWithFile(file.path, reply, { ...headers, ...summaryHeader(answer, false) });
  } finally {
    file?.remove();
    if (file !== undefined) forgetResult(file.path);
  }
}

/** `EXPLAIN AST ... INTO OUTFILE` would explain the INTO OUTFILE with the rest, and write nothing. */
function isTreeWanted({ tokens }: ReadStatement): boolean {
  return isKeyword(tokens[0], 'EXPLAIN') && isKeyword(tokens[1], 'AST');
}

async function wholeAnswer(
  connection: ChdbConnection,
  text: string,
  format: string,
  reply: Reply,
  headers: Headers,
): Promise<QueryResult> {
  const answer = await connection.run(text, format);
  reply.whole(200, { ...headers, ...summaryHeader(answer, false) }, answer.bytes());
  return answer;
}

/** As the client wants to read it: of a later revision, in packed blocks, or as it is. */
function recodedFor(request: Request, format: string, reply: Reply): Reply {
  const recoders: Recoder[] = [];
  if (format === 'Native' && request.protocolVersion > 0) recoders.push(nativeOfRevision(request.protocolVersion));
  if (request.packsResult) recoders.push(compressedBlocks());
  return recoders.length === 0 ? reply : recoded(reply, chain(recoders));
}

export async function runInsert(
  warehouse: EmbeddedServer,
  query: Query,
  statement: InsertStatement,
  body: SpooledBody,
  encoding: string | undefined,
): Promise<void> {
  body.seal();
  const compression = encoding === undefined ? '' : ` COMPRESSION '${encoding}'`;
  const text = `${statement.head} FROM INFILE ${stringLiteral(body.path)}${compression} FORMAT ${formatName(statement.format)}`;
  const context = nameContext(query.request);
  const slots = query.user === 'engine' ? warehouse.engineWrites : warehouse.publicWrites;
  const answer = await slots.with(() =>
    withConnection(warehouse, query, statement.settings, 'write', async (connection) => {
      if (query.user === 'public') await lookAtInsert(connection, context, statement);
      const insert = (): Promise<QueryResult> => hidePath(connection.run(text), body.path);
      return write(warehouse, query, statement.target, connection, insert);
    }),
  );
  query.reply.whole(200, { ...commonHeaders(query.headers), ...summaryHeader(answer, true) }, '');
}

export async function runCommand(warehouse: EmbeddedServer, query: Query, statement: CommandStatement): Promise<void> {
  const format = formatName(query.request.defaultFormat);
  const slots = query.user === 'engine' ? warehouse.engineWrites : warehouse.publicWrites;
  const answer = await slots.with(() =>
    withConnection(warehouse, query, new Map(), 'write', async (connection) => {
      const text = query.user === 'public' ? await allowed(warehouse, query, statement, connection) : statement.text;
      return write(warehouse, query, statement.target, connection, () => connection.run(text, format));
    }),
  );
  const headers = {
    ...resultHeaders(query.headers, format, undefined),
    ...summaryHeader(answer, statement.target !== undefined),
  };
  query.reply.whole(200, headers, answer.bytes());
}

/** What an ordinary client's command becomes, once it has been looked at and there is room for it. */
async function allowed(
  warehouse: EmbeddedServer,
  query: Query,
  statement: CommandStatement,
  connection: ChdbConnection,
): Promise<string> {
  const context = nameContext(query.request);
  const reading = await lookAgain(connection, warehouse.rules, context, statement);
  const command = commandOf(statement, context);
  await refuseWithoutRoom(connection, warehouse, command, reading);
  return reading.refreshes ? withRefreshLimits(warehouse, statement) : statement.text;
}

/** Rows on their way in: the engine's own ones past the views of clients, those of clients into bounded space. */
function write<Result>(
  warehouse: EmbeddedServer,
  query: Query,
  target: InsertTarget | undefined,
  connection: ChdbConnection,
  work: () => Promise<Result>,
): Promise<Result> {
  if (target === undefined) return work();
  const kill = (): Promise<void> => killQuery(warehouse, query.runId);
  if (query.user === 'public') return writeInBounds(warehouse, connection, kill, work);
  const database = target.database ?? nameContext(query.request).database;
  return insertPastViews(warehouse, { database, table: target.table }, kill, work);
}

function nameContext(request: Request): NameContext {
  return { database: request.database === '' ? 'default' : request.database, parameters: request.parameters };
}

/**
 * `settings`: reads too, and the engine says of each setting that it may be changed. Clients look there
 * (`system.settings.readonly`) before they send one, and which ones are open is decided by the guard, not by the connection.
 */
type Access = 'read' | 'settings' | 'write';

function readingOf({ tokens }: ReadStatement): Access {
  const asksSettings = tokens.some(
    (token, i) => isWord(token, 'settings') && isSymbol(tokens[i - 1], '.') && isWord(tokens[i - 2], 'system'),
  );
  return asksSettings ? 'settings' : 'read';
}

function isWord(token: SqlToken | undefined, word: string): boolean {
  return isName(token) && token.value.toLowerCase() === word;
}

function refuseGone({ reply }: Query): void {
  if (reply.isAborted) throw new EngineFailure(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled: the client has gone');
}

/** A fresh connection with the query's settings, database and parameters; killed when the client goes away. */
async function withConnection<Result>(
  warehouse: EmbeddedServer,
  query: Query,
  statementSettings: ReadonlyMap<string, string>,
  access: Access,
  work: (connection: ChdbConnection) => Promise<Result>,
): Promise<Result> {
  const { request, reply } = query;
  refuseGone(query);
  const isTrusted = query.user === 'engine';
  const settings = settingsFor(warehouse.catalog, new Map([...request.settings, ...statementSettings]), isTrusted);
  settings.set('log_comment', query.runId);
  if (access !== 'write' && !isTrusted) settings.set('readonly', access === 'read' ? '1' : '2');
  // A body is read, not mapped, as the default would have it: mapped it counts as resident, 100 MB for the largest batch,
  // and is no faster.
  if (access === 'write') settings.set('storage_file_read_method', 'pread');
  const connection = warehouse.engine.connect(settings);
  try {
    if (request.database !== 'default' && request.database !== '')
      await connection.run(`USE ${nameLiteral(request.database)}`);
    if (request.parameters.size > 0) await connection.run(setParameters(request.parameters));
    // Reads are stopped; an insert whose body has arrived whole runs to its end, so that a retry meets a settled state.
    if (access !== 'write') reply.whenAborted(() => void killQuery(warehouse, query.runId));
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

async function killQuery(warehouse: EmbeddedServer, runId: string): Promise<void> {
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
async function runClean(connection: ChdbConnection, original: string, rewritten: string): Promise<QueryResult> {
  try {
    return await connection.run(rewritten);
  } catch (cause) {
    const failure = EngineFailure.of(cause);
    if (failure.clickhouseCode === 62) await explainSyntax(connection, original);
    throw failure;
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
