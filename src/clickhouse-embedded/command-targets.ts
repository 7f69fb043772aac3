/**
 * What a statement that changes something changes: its verb and the tables or databases it writes, read strictly. A form
 * that is not listed here is refused, so that nothing is run whose targets are not known. Pure. Child process.
 */
import { denied, EngineFailure } from './engine-failure.ts';
import { isKeyword, isName, isSymbol, type SqlToken } from './lexer.ts';
import type { CommandStatement } from './statement.ts';

export interface Target {
  readonly database: string;
  /** Absent: the database itself. */
  readonly table: string | undefined;
}

export interface Command {
  readonly verb: string;
  /** TABLE, VIEW, MATERIALIZED VIEW or DATABASE. */
  readonly object: string;
  /** Written, created or dropped. */
  readonly targets: readonly Target[];
  /** A parameter stands where a name is, so the syntax tree does not show it. */
  readonly hasPlaceholder: boolean;
}

export interface NameContext {
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The node of the syntax tree that each verb must come out as. */
export const ROOTS: ReadonlyMap<string, string> = new Map([
  ['CREATE', 'CreateQuery'],
  ['DROP', 'DropQuery'],
  ['TRUNCATE', 'TruncateQuery'],
  ['RENAME', 'Rename'],
  ['EXCHANGE', 'Rename'],
  ['OPTIMIZE', 'OptimizeQuery'],
  ['DELETE', 'DeleteQuery'],
  ['UPDATE', 'UpdateQuery'],
  ['ALTER', 'AlterQuery'],
  ['INSERT', 'InsertQuery'],
]);

/** Statements of ClickHouse that are not for ordinary clients; anything else is no statement at all. */
const CLOSED_VERBS = new Set(
  'SYSTEM KILL GRANT REVOKE ATTACH DETACH BACKUP RESTORE CHECK UNDROP MOVE EXECUTE WATCH PARALLEL COPY REPLACE'.split(
    ' ',
  ),
);

/** Moves along the tokens of one statement. */
interface Cursor {
  readonly tokens: readonly SqlToken[];
  readonly context: NameContext;
  at: number;
  hasPlaceholder: boolean;
}

export function commandOf(statement: CommandStatement, context: NameContext): Command {
  const { tokens } = statement;
  const verb = tokens[0]?.kind === 'word' ? tokens[0].value.toUpperCase() : '';
  if (!ROOTS.has(verb)) refuseVerb(verb);
  const cursor: Cursor = { tokens, context, at: 1, hasPlaceholder: false };
  const { object, targets } = targetsOf(verb, cursor);
  return { verb, object, targets, hasPlaceholder: cursor.hasPlaceholder };
}

function targetsOf(verb: string, cursor: Cursor): { object: string; targets: Target[] } {
  switch (verb) {
    case 'CREATE':
      return create(cursor);
    case 'DROP':
      return drop(cursor);
    case 'TRUNCATE':
      return truncate(cursor);
    case 'RENAME':
    case 'EXCHANGE':
      return rename(cursor, verb === 'RENAME' ? 'TO' : 'AND');
    case 'ALTER':
      return alter(cursor);
    case 'DELETE':
      expect(cursor, 'FROM');
      return { object: 'TABLE', targets: [table(cursor)] };
    case 'OPTIMIZE':
      expect(cursor, 'TABLE');
      return { object: 'TABLE', targets: [table(cursor)] };
    case 'UPDATE':
      return { object: 'TABLE', targets: [table(cursor)] };
    default:
      return insert(cursor);
  }
}

function create(cursor: Cursor): { object: string; targets: Target[] } {
  if (accept(cursor, 'OR')) expect(cursor, 'REPLACE');
  const object = objectOf(cursor, ['TABLE', 'VIEW', 'MATERIALIZED', 'DATABASE']);
  if (object === 'MATERIALIZED') expect(cursor, 'VIEW');
  if (accept(cursor, 'IF')) expect(cursor, 'NOT', 'EXISTS');
  if (object === 'DATABASE') return { object, targets: [database(cursor)] };
  const targets = [table(cursor)];
  if (isKeyword(cursor.tokens[cursor.at], 'UUID')) denied('a UUID of its own choice is not open to user default');
  if (isKeyword(cursor.tokens[cursor.at], 'CLONE')) denied('CLONE AS shares parts of another table; write AS SELECT');
  if (object !== 'MATERIALIZED') return { object, targets };
  // `TO` names the table that the view writes; what comes after AS is the query.
  for (; cursor.at < cursor.tokens.length && !isKeyword(cursor.tokens[cursor.at], 'AS'); cursor.at += 1) {
    if (isSymbol(cursor.tokens[cursor.at], '(')) skipParentheses(cursor);
    if (!isKeyword(cursor.tokens[cursor.at], 'TO')) continue;
    cursor.at += 1;
    targets.push(table(cursor));
    cursor.at -= 1;
  }
  return { object: 'MATERIALIZED VIEW', targets };
}

function drop(cursor: Cursor): { object: string; targets: Target[] } {
  const object = objectOf(cursor, ['TABLE', 'VIEW', 'DATABASE']);
  if (accept(cursor, 'IF') && !accept(cursor, 'EMPTY')) expect(cursor, 'EXISTS');
  const next = object === 'DATABASE' ? database : table;
  const targets = [next(cursor)];
  while (acceptSymbol(cursor, ',')) targets.push(next(cursor));
  if (accept(cursor, 'NO')) expect(cursor, 'DELAY');
  else accept(cursor, 'SYNC');
  expectEnd(cursor);
  return { object, targets };
}

function truncate(cursor: Cursor): { object: string; targets: Target[] } {
  const all = accept(cursor, 'ALL');
  const isAll = (all && accept(cursor, 'TABLES')) || accept(cursor, 'TABLES');
  if (isAll) expect(cursor, 'FROM');
  const isDatabase = isAll || accept(cursor, 'DATABASE');
  if (!isDatabase) accept(cursor, 'TABLE');
  if (accept(cursor, 'IF')) expect(cursor, 'EXISTS');
  return isDatabase
    ? { object: 'DATABASE', targets: [database(cursor)] }
    : { object: 'TABLE', targets: [table(cursor)] };
}

function rename(cursor: Cursor, between: string): { object: string; targets: Target[] } {
  const object = objectOf(cursor, between === 'TO' ? ['TABLE', 'DATABASE'] : ['TABLES']);
  const next = object === 'DATABASE' ? database : table;
  const targets: Target[] = [];
  do {
    if (accept(cursor, 'IF')) expect(cursor, 'EXISTS');
    targets.push(next(cursor));
    expect(cursor, between);
    targets.push(next(cursor));
  } while (acceptSymbol(cursor, ','));
  expectEnd(cursor);
  return { object, targets };
}

function alter(cursor: Cursor): { object: string; targets: Target[] } {
  objectOf(cursor, ['TABLE']);
  const targets = [table(cursor)];
  for (; cursor.at < cursor.tokens.length; cursor.at += 1) {
    if (!isKeyword(cursor.tokens[cursor.at - 1], 'TO')) continue;
    if (isKeyword(cursor.tokens[cursor.at], 'DISK') || isKeyword(cursor.tokens[cursor.at], 'VOLUME'))
      denied('ALTER ... MOVE TO DISK and VOLUME are not open to user default');
    if (!accept(cursor, 'TABLE')) continue;
    targets.push(table(cursor));
  }
  return { object: 'TABLE', targets };
}

function insert(cursor: Cursor): { object: string; targets: Target[] } {
  accept(cursor, 'INTO');
  accept(cursor, 'TABLE');
  if (isKeyword(cursor.tokens[cursor.at], 'FUNCTION')) denied('INSERT INTO FUNCTION is not open to user default');
  return { object: 'TABLE', targets: [table(cursor)] };
}

function objectOf(cursor: Cursor, objects: readonly string[]): string {
  const object = objects.find((each) => accept(cursor, each));
  if (object !== undefined) return object;
  const [verb, given] = [cursor.tokens[0], cursor.tokens[cursor.at]].map((token) => token?.value.toUpperCase() ?? '');
  if (given === 'TEMPORARY' || given === 'TEMP') denied(withoutSession(`${verb} ${given}`));
  denied(`${verb} ${given} is not open to user default; tables, views and databases are`);
}

/** `table`, `database.table`, or either as a parameter. */
function table(cursor: Cursor): Target {
  const parts = [part(cursor)];
  if (acceptSymbol(cursor, '.')) parts.push(part(cursor));
  if (isKeyword(cursor.tokens[cursor.at], 'ON') && isKeyword(cursor.tokens[cursor.at + 1], 'CLUSTER'))
    denied('ON CLUSTER is not open to user default; there is one server');
  // A parameter may itself hold `database.table`.
  const path = parts.flatMap((name) => (cursor.hasPlaceholder ? name.split('.') : [name]));
  const [first = '', second] = path;
  return second === undefined
    ? { database: cursor.context.database, table: first }
    : { database: first, table: path.slice(1).join('.') };
}

function database(cursor: Cursor): Target {
  const target = { database: part(cursor), table: undefined };
  if (isKeyword(cursor.tokens[cursor.at], 'ON')) denied('ON CLUSTER is not open to user default; there is one server');
  return target;
}

function part(cursor: Cursor): string {
  const token = cursor.tokens[cursor.at];
  if (isName(token)) {
    cursor.at += 1;
    return token.value;
  }
  const [name, colon, type, close] = cursor.tokens.slice(cursor.at + 1, cursor.at + 5);
  const isPlaceholder = isSymbol(token, '{') && isName(name) && isSymbol(colon, ':') && isSymbol(close, '}');
  if (!isPlaceholder || !isKeyword(type, 'IDENTIFIER')) syntaxError(cursor);
  cursor.at += 5;
  cursor.hasPlaceholder = true;
  return cursor.context.parameters.get(name.value) ?? '';
}

function accept(cursor: Cursor, keyword: string): boolean {
  const isThere = isKeyword(cursor.tokens[cursor.at], keyword);
  if (isThere) cursor.at += 1;
  return isThere;
}

function acceptSymbol(cursor: Cursor, symbol: string): boolean {
  const isThere = isSymbol(cursor.tokens[cursor.at], symbol);
  if (isThere) cursor.at += 1;
  return isThere;
}

function expect(cursor: Cursor, ...keywords: readonly string[]): void {
  for (const keyword of keywords) if (!accept(cursor, keyword)) syntaxError(cursor);
}

function expectEnd(cursor: Cursor): void {
  if (cursor.at < cursor.tokens.length) syntaxError(cursor);
}

function skipParentheses(cursor: Cursor): void {
  let depth = 0;
  for (; cursor.at < cursor.tokens.length; cursor.at += 1) {
    if (isSymbol(cursor.tokens[cursor.at], '(')) depth += 1;
    if (isSymbol(cursor.tokens[cursor.at], ')') && --depth === 0) break;
  }
}

function syntaxError(cursor: Cursor): never {
  const token = cursor.tokens[cursor.at];
  const where =
    token === undefined ? 'end of query' : `failed at position ${token.start + 1} (${token.value.slice(0, 32)})`;
  throw new EngineFailure(62, 'SYNTAX_ERROR', `Syntax error: ${where}; this form of the statement is not understood`);
}

/**
 * What would end with its own request: what keeps queries apart, and reads from writing, is given when a connection opens
 * (chdb.ts).
 */
const WITHOUT_SESSION = new Map([
  ['SET', 'give settings in the URL, or in SETTINGS of the query'],
  ['USE', 'give database=NAME in the URL, or X-ClickHouse-Database'],
  ['BEGIN', 'there are no transactions over several requests'],
  ['COMMIT', 'there are no transactions over several requests'],
  ['ROLLBACK', 'there are no transactions over several requests'],
]);

function withoutSession(what: string): string {
  const advice =
    WITHOUT_SESSION.get(what) ??
    'create a table in a database of your own (CREATE DATABASE mine), and drop it afterwards';
  return `${what} would have no effect on the next request: here each request has a connection of its own, whatever its session_id; ${advice}`;
}

function refuseVerb(verb: string): never {
  if (WITHOUT_SESSION.has(verb)) denied(withoutSession(verb));
  if (CLOSED_VERBS.has(verb))
    denied(`statement ${verb} is not open to user default; it may SELECT, INSERT, CREATE, ALTER, DROP`);
  throw new EngineFailure(
    62,
    'SYNTAX_ERROR',
    `Syntax error: failed at position 1 '${verb}': no statement begins like this`,
  );
}
