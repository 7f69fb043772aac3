/**
 * What an ordinary client (user `default`) may run. The second wall for reads, behind the read-only connection: that one
 * still runs `INTO OUTFILE`, the scalar function `file()`, `DESCRIBE file(...)` and KILL (measured). The only wall of the
 * parser for writes; behind it stand those of walls/. Each statement is looked at twice: by its words as it comes in, and by
 * the engine's syntax tree before it runs. Child process.
 */
import { commandOf, ROOTS, type NameContext, type Target } from './command-targets.ts';
import { denied, EngineFailure } from './engine-failure.ts';
import { guardTokens, refuseOdd } from './guard-tokens.ts';
import { guardTree } from './guard-tree.ts';
import { isKeyword, isName, isSymbol, tokensOf, type SqlToken } from './lexer.ts';
import { isClosedFormat, isOpenEngine, isOpenFormat } from './open-names.ts';
import type { CommandStatement, InsertStatement, InsertTarget, ReadStatement } from './statement.ts';
import type { SyntaxNode } from './syntax-tree.ts';

export interface GuardRules {
  /** Lower case. Databases that only the engine's user may change. */
  readonly protectedDatabases: ReadonlySet<string>;
}

const INSERT_NODES = new Set([
  'InsertQuery',
  'Identifier',
  'ExpressionList',
  'Asterisk',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
]);

/** Every connection begins in it, so it must stay; tables in it are the clients'. */
const DEFAULT_DATABASE = 'default';

export function guardRead(context: NameContext, statement: ReadStatement): void {
  guardTokens(statement.tokens, context.parameters);
  guardFormat(statement.format);
}

export function guardInsert(rules: GuardRules, context: NameContext, statement: InsertStatement): void {
  guardInsertHead(tokensOf(statement.head));
  guardFormat(statement.format);
  refuseInsertTarget(rules, context, statement.target);
}

export function guardCommand(rules: GuardRules, context: NameContext, statement: CommandStatement): void {
  const { tokens } = statement;
  const command = commandOf(statement, context);
  guardTokens(tokens, context.parameters);
  for (const [index, token] of tokens.entries()) {
    refuseEngine(tokens, index);
    if (isKeyword(token, 'PARALLEL') && isKeyword(tokens[index + 1], 'WITH'))
      denied('PARALLEL WITH is not open to user default; send one statement at a time');
    const isDefiner = isKeyword(token, 'DEFINER') && isSymbol(tokens[index + 1], '=');
    if (isDefiner || (isKeyword(token, 'SQL') && isKeyword(tokens[index + 1], 'SECURITY')))
      denied('DEFINER and SQL SECURITY are not open to user default; there are no other users');
  }
  for (const target of command.targets) refuseTarget(rules, target);
}

/** What the syntax tree tells of a statement that may run. */
export interface Reading {
  /** Called as a function is: views with parameters, if there are such views. */
  readonly unknownTables: readonly string[];
  /** A materialized view that hangs at a table of the engine. */
  readonly attaches: boolean;
  /** A materialized view that reads by itself from time to time. */
  readonly refreshes: boolean;
}

/** `nodes` are those of the statement as it will run. Throws EngineFailure. */
export function guardSyntax(
  rules: GuardRules,
  context: NameContext,
  statement: ReadStatement | CommandStatement,
  nodes: readonly SyntaxNode[],
): Reading {
  const { tables, unknownTables } = guardTree(nodes);
  if (statement.kind === 'read') return { unknownTables, attaches: false, refreshes: false };
  const command = commandOf(statement, context);
  const root = nodes[0];
  if (root?.kind !== ROOTS.get(command.verb)) denied(`${root?.kind ?? 'this'} is not what the statement looked like`);
  if (!command.hasPlaceholder) refuseOtherTarget(command.verb, statement, command.targets, nodes);
  const isView = command.object === 'MATERIALIZED VIEW';
  const refreshes = isView && nodes.some((node) => node.kind === 'Refresh strategy definition');
  const attaches = isView && !refreshes && readsProtected(rules, context, tables);
  if (attaches) refuseHeavyView(nodes);
  return { unknownTables, attaches, refreshes };
}

/** An insert with data has a name and a list of columns, and nothing else. */
export function guardInsertSyntax(
  context: NameContext,
  { target }: InsertStatement,
  nodes: readonly SyntaxNode[],
): void {
  for (const { kind } of nodes) if (!INSERT_NODES.has(kind)) denied(`an insert with data holds no ${kind}`);
  const names = nodes.filter(({ kind, depth }) => kind === 'Identifier' && depth === 1).map(({ name }) => name);
  const seen = names.join('.');
  const { database, table } = target;
  const isMeant = seen === table || seen === `${database ?? context.database}.${table}`;
  if (!target.hasPlaceholder && !isMeant) denied(`the insert goes into another table than it seems to: ${seen}`);
}

export function guardFormat(format: string | undefined): void {
  if (format === undefined || isOpenFormat(format)) return;
  if (isClosedFormat(format)) denied(`format ${format} is not open to user default`);
  throw new EngineFailure(73, 'UNKNOWN_FORMAT', `Unknown format ${JSON.stringify(format)}`);
}

/** A name and a list of columns, and nothing that is computed. */
function guardInsertHead(tokens: readonly SqlToken[]): void {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    refuseOdd(token);
    if (isSymbol(token, '(')) depth += 1;
    const isColumns = isKeyword(tokens[index - 1], 'EXCEPT') || depth === 1;
    if (isSymbol(token, '(') && !isColumns) denied('a list of columns holds names only');
    const { value } = token;
    if (depth > 0 && !isName(token) && !['(', ')', ',', '.', '*'].includes(value))
      denied(`a list of columns holds names only, not ${value.slice(0, 32)}`);
  }
}

/** The engine must have understood the same name as the front. */
function refuseOtherTarget(
  verb: string,
  statement: CommandStatement,
  targets: readonly Target[],
  nodes: readonly SyntaxNode[],
): void {
  const [written, ...others] = targets;
  if (written === undefined || others.length > 0 || verb === 'RENAME' || verb === 'EXCHANGE') return;
  const names = nodes.filter((node) => node.kind === 'Identifier' && node.depth === 1).map((node) => node.name);
  // These two do not say it in their root.
  const seen = verb === 'INSERT' || verb === 'OPTIMIZE' ? names.slice(0, 2).join(' ') : nodes[0]?.name.trim();
  const { database, table } = written;
  if (seen !== table && seen !== database && seen !== `${database} ${table}`)
    denied(`${statement.text.slice(0, 40)} names something else than it seems to: ${seen}`);
}

function readsProtected(rules: GuardRules, context: NameContext, tables: readonly string[]): boolean {
  return tables.some((name) => {
    const database = name.includes('.') ? name.slice(0, name.indexOf('.')) : context.database;
    return rules.protectedDatabases.has(database.toLowerCase());
  });
}

/** Such a view runs inside the engine's own inserts: what it costs must not depend on anything but the rows of the batch. */
function refuseHeavyView(nodes: readonly SyntaxNode[]): void {
  const isHeavy = nodes.some(
    ({ kind, name }) =>
      ['TableJoin', 'ArrayJoin', 'Subquery', 'WindowDefinition'].includes(kind) ||
      (kind === 'Function' && /^(sleep|sleepEachRow|arrayJoin|joinGet|joinGetOrNull|dictGet.*)$/i.test(name)),
  );
  if (isHeavy)
    denied(
      "a materialized view of the engine's tables runs inside its inserts, so it may neither join, unfold arrays, read other tables nor wait; " +
        'let it refresh by itself instead: CREATE MATERIALIZED VIEW ... REFRESH EVERY 1 MINUTE ... AS SELECT ...',
    );
}

function refuseEngine(tokens: readonly SqlToken[], index: number): void {
  if (!isKeyword(tokens[index], 'ENGINE')) return;
  const next = tokens[index + 1];
  const engine = isSymbol(next, '=') ? tokens[index + 2] : next;
  if (isName(engine) && (isSymbol(next, '=') || engine.kind === 'word') && !isOpenEngine(engine.value))
    denied(`engine ${engine.value} is not open to user default; the MergeTree family, Memory, Log, Set and Join are`);
}

function refuseInsertTarget(rules: GuardRules, context: NameContext, target: InsertTarget): void {
  if (target.isFunction) denied('INSERT INTO FUNCTION is not open to user default');
  const resolve = (name: string): string => (target.hasPlaceholder ? (context.parameters.get(name) ?? name) : name);
  // A parameter may itself hold `database.table`.
  const path = [target.database, target.table]
    .filter((name) => name !== undefined)
    .flatMap((name) => resolve(name).split('.'));
  const database = path.length > 1 ? (path[0] ?? '') : context.database;
  const names = target.hasPlaceholder ? [database, ...path] : [database];
  for (const name of names) refuseTarget(rules, { database: name, table: target.table });
}

function refuseTarget(rules: GuardRules, { database, table }: Target): void {
  const key = database.toLowerCase();
  if (rules.protectedDatabases.has(key)) {
    const example = table === undefined ? 'mine' : `mine.${table}`;
    denied(`database ${database} is written by the engine only; name one of your own, for example ${example}`);
  }
  if (table === undefined && key === DEFAULT_DATABASE)
    denied('database default is where every connection begins; it can be neither dropped nor renamed nor emptied');
}
