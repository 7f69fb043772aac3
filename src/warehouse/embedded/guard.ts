/**
 * What an ordinary client (user `default`) may run. The second wall for reads, behind the read-only connection: that one still runs
 * `INTO OUTFILE`, the scalar function `file()`, `DESCRIBE file(...)` and KILL (measured). The only wall for writes. Child process.
 */
import { EngineFailure } from './engine-failure.ts';
import { isKeyword, isName, isSymbol, type Token } from './lexer.ts';
import { isAllowedSetting, isDangerousSetting } from './settings.ts';
import type { CommandStatement, InsertStatement, InsertTarget, ReadStatement } from './statement.ts';

export interface GuardRules {
  /** Lower case. Databases that only the engine's user may change. */
  readonly protectedDatabases: ReadonlySet<string>;
  /** Lower case. Functions that reach files, networks or programs; see forbiddenFunctions(). */
  readonly forbiddenFunctions: ReadonlySet<string>;
  /** Of queries and of tables. */
  readonly knownSettings: ReadonlySet<string>;
}

export interface GuardContext {
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Table functions that stay inside the engine. Every other one the engine lists is forbidden, future ones included. */
const HARMLESS_TABLE_FUNCTIONS = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'primes',
  'values',
  'sqlstandardvalues',
  'view',
  'viewexplain',
  'null',
  'generaterandom',
  'generateseries',
  'generate_series',
  'format',
  'merge',
  'dictionary',
  'mergetreeindex',
  'mergetreeprojection',
]);

const HARMLESS_TABLE_ENGINES = new Set([
  'memory',
  'log',
  'tinylog',
  'stripelog',
  'null',
  'set',
  'join',
  'view',
  'materializedview',
  'atomic',
]);

const WRITE_KEYWORDS = new Set([
  'INSERT',
  'CREATE',
  'DROP',
  'ALTER',
  'TRUNCATE',
  'RENAME',
  'EXCHANGE',
  'OPTIMIZE',
  'DELETE',
  'UPDATE',
]);
/** Statements of ClickHouse that are not for ordinary clients; anything else is no statement at all. */
const CLOSED_KEYWORDS = new Set([
  'SYSTEM',
  'KILL',
  'SET',
  'USE',
  'GRANT',
  'REVOKE',
  'ATTACH',
  'DETACH',
  'BACKUP',
  'RESTORE',
  'CHECK',
  'UNDROP',
  'MOVE',
  'EXECUTE',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'WATCH',
  'PARALLEL',
  'COPY',
  'REPLACE',
]);
const OBJECT_KEYWORDS = new Set(['TABLE', 'TABLES', 'DATABASE', 'VIEW', 'MATERIALIZED', 'OR', 'FROM', 'IF']);
const FORBIDDEN_WORDS = new Set([
  'FREEZE',
  'UNFREEZE',
  'FETCH',
  'BACKUP',
  'RESTORE',
  'OUTFILE',
  'INFILE',
  'DEFINER',
  'DICTIONARY',
]);

/** The engine's table functions less the harmless ones, and what a scalar or a disk definition can reach. */
export function forbiddenFunctions(tableFunctions: Iterable<string>): Set<string> {
  const forbidden = new Set(['file', 'disk', 'eval', 'catboostevaluate', 'executable', 'url', 'remote']);
  for (const name of tableFunctions) {
    if (!HARMLESS_TABLE_FUNCTIONS.has(name.toLowerCase())) forbidden.add(name.toLowerCase());
  }
  return forbidden;
}

export function guardRead(rules: GuardRules, context: GuardContext, statement: ReadStatement): void {
  refuseOutfile(statement.tokens);
  refuseFunctions(rules, context, statement.tokens);
  refuseSettings(rules, statement.tokens, (name) => isAllowedSetting(name) && !isDangerousSetting(name));
}

export function guardInsert(rules: GuardRules, context: GuardContext, statement: InsertStatement): void {
  refuseTarget(rules, context, statement.target);
}

export function guardCommand(rules: GuardRules, context: GuardContext, statement: CommandStatement): void {
  const { tokens } = statement;
  const verb = tokens[0]?.kind === 'word' ? tokens[0].value.toUpperCase() : '';
  if (!WRITE_KEYWORDS.has(verb)) {
    if (!CLOSED_KEYWORDS.has(verb)) {
      throw new EngineFailure(
        62,
        'SYNTAX_ERROR',
        `Syntax error: failed at position 1 '${verb}': no statement begins like this`,
      );
    }
    denied(
      `statement ${verb || 'of this kind'} is not open to user default; it may SELECT, INSERT, CREATE, ALTER, DROP`,
    );
  }
  refuseOutfile(tokens);
  refuseFunctions(rules, context, tokens);
  // A table's own settings stand here too, so only the dangerous names are refused.
  refuseSettings(rules, tokens, (name) => !isDangerousSetting(name));
  if (statement.target !== undefined) {
    refuseTarget(rules, context, statement.target);
    return;
  }
  refuseObjects(verb, tokens);
  refuseEngines(tokens);
  refuseProtectedNames(rules, context, tokens);
}

/** Rewriting depends on it too: the front puts its own INTO OUTFILE there. */
function refuseOutfile(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (isKeyword(token, 'OUTFILE') && isKeyword(tokens[index - 1], 'INTO'))
      denied('INTO OUTFILE writes files of the server');
    if (isKeyword(token, 'INFILE') && isKeyword(tokens[index - 1], 'FROM'))
      denied('FROM INFILE reads files of the server');
  }
}

/**
 * A call is a name before a parenthesis. `file` can also be passed as a value (`arrayMap(file, ...)`, `APPLY(file)`), so it is refused wherever it
 * is not a column of a named table (`t.file`) or an alias (`AS file`).
 */
function refuseFunctions(rules: GuardRules, context: GuardContext, tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'odd')
      denied(`character ${JSON.stringify(token.value.slice(0, 8))} outside a string is not understood`);
    if (token.kind === 'quoted' && token.value.includes('\\')) denied('a backslash in a quoted name is not understood');
    if (!isName(token)) continue;
    const name = token.value.toLowerCase();
    if (isSymbol(tokens[index + 1], '(') && rules.forbiddenFunctions.has(name))
      denied(`function ${name} reaches outside the engine`);
    const isColumnOrAlias = isSymbol(tokens[index - 1], '.') || isKeyword(tokens[index - 1], 'AS');
    if (name === 'file' && !isColumnOrAlias)
      denied('name `file` could be the function; write the column as table.file');
    if (name === 'identifier' && isSymbol(tokens[index + 1], '}')) refuseIdentifierParameters(rules, context);
  }
}

/**
 * SETTINGS of a subquery take effect in a read-only connection (measured), and some settings hold SQL or name files. Where such a clause ends is
 * not worth parsing: after the first one, whatever looks like a setting is taken for one.
 */
function refuseSettings(rules: GuardRules, tokens: readonly Token[], isAllowed: (name: string) => boolean): void {
  const first = tokens.findIndex((token) => isKeyword(token, 'SETTINGS') || isKeyword(token, 'SETTING'));
  if (first < 0) return;
  for (let index = first; index < tokens.length; index++) {
    const token = tokens[index];
    if (!isName(token) || !isSymbol(tokens[index + 1], '=') || !rules.knownSettings.has(token.value)) continue;
    if (!isAllowed(token.value)) denied(`setting ${token.value} is not open to user default here`);
  }
}

/** `{name:Identifier}` puts a parameter's value where a name stands. */
function refuseIdentifierParameters(rules: GuardRules, context: GuardContext): void {
  for (const [name, value] of context.parameters) {
    if (rules.forbiddenFunctions.has(value.toLowerCase()))
      denied(`parameter ${name} names a function that reaches outside the engine`);
  }
}

function refuseTarget(rules: GuardRules, context: GuardContext, target: InsertTarget): void {
  if (target.isFunction) denied('INSERT INTO FUNCTION is not open to user default');
  const resolve = (name: string): string => (target.hasPlaceholder ? (context.parameters.get(name) ?? name) : name);
  // A parameter may itself hold `database.table`.
  const path = [target.database, target.table]
    .filter((name) => name !== undefined)
    .flatMap((name) => resolve(name).split('.'));
  const database = path.length > 1 ? (path[0] ?? '') : context.database;
  const names = target.hasPlaceholder ? [database, ...path] : [database];
  for (const name of names) refuseDatabase(rules, name);
}

function refuseObjects(verb: string, tokens: readonly Token[]): void {
  const object = tokens[1]?.kind === 'word' ? tokens[1].value.toUpperCase() : '';
  if (verb !== 'UPDATE' && verb !== 'TRUNCATE' && !OBJECT_KEYWORDS.has(object)) {
    denied(`${verb} ${object} is not open to user default; tables, views and databases are`);
  }
  for (const token of tokens) {
    if (token.kind === 'word' && FORBIDDEN_WORDS.has(token.value.toUpperCase()))
      denied(`${token.value.toUpperCase()} is not open to user default`);
    if (verb === 'CREATE' && (isKeyword(token, 'FUNCTION') || isKeyword(token, 'WINDOW')))
      denied('only tables, views and databases may be created');
  }
}

function refuseEngines(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (!isKeyword(token, 'ENGINE')) continue;
    const next = tokens[index + 1];
    const engine = isSymbol(next, '=') ? tokens[index + 2] : next;
    if (!isName(engine)) continue;
    const name = engine.value.toLowerCase();
    if (name.endsWith('mergetree') && !name.startsWith('replicated')) continue;
    if (!HARMLESS_TABLE_ENGINES.has(name))
      denied(`engine ${engine.value} is not open to user default; the MergeTree family, Memory and Log are`);
  }
}

/**
 * A protected database may not be named at all, not even read from: a view that feeds from or into it would change how inserts there
 * behave. As a plain word it may be a column, so there it counts only where a statement takes databases.
 */
function refuseProtectedNames(rules: GuardRules, context: GuardContext, tokens: readonly Token[]): void {
  refuseDatabase(rules, context.database);
  const takesDatabases =
    ['DROP', 'TRUNCATE', 'RENAME', 'EXCHANGE'].includes(tokens[0]?.value.toUpperCase() ?? '') ||
    tokens.some((token) => isKeyword(token, 'DATABASE'));
  let hasPlaceholder = false;
  for (const [index, token] of tokens.entries()) {
    if (!isName(token)) continue;
    if (takesDatabases || isSymbol(tokens[index + 1], '.')) refuseDatabase(rules, token.value);
    hasPlaceholder ||= token.value.toLowerCase() === 'identifier' && isSymbol(tokens[index + 1], '}');
  }
  if (!hasPlaceholder) return;
  for (const value of context.parameters.values()) {
    for (const part of value.split('.')) refuseDatabase(rules, part.replace(/[`"\s]/g, ''));
  }
}

function refuseDatabase(rules: GuardRules, name: string): void {
  if (rules.protectedDatabases.has(name.toLowerCase())) {
    denied(`database ${name} is written by the engine only; create tables of your own in another database`);
  }
}

function denied(reason: string): never {
  throw new EngineFailure(497, 'ACCESS_DENIED', `default: Not enough privileges. ${reason}`);
}
