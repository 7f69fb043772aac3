/**
 * The guard's second look at an ordinary client's statement: what the engine's own parser makes of it. One parse on the
 * query's own connection, right before it runs. Called by run-statement.ts. Child process.
 */
import type { NameContext } from './command-targets.ts';
import type { ChdbConnection } from './chdb.ts';
import { EngineFailure } from './engine-failure.ts';
import { guardInsertSyntax, guardSyntax, type GuardRules, type Reading } from './guard.ts';
import { stringLiteral } from './lexer.ts';
import type { CommandStatement, InsertStatement, ReadStatement } from './statement.ts';
import { syntaxTree } from './syntax-tree.ts';

/** Throws EngineFailure for what is not open. */
export async function lookAgain(
  connection: ChdbConnection,
  rules: GuardRules,
  context: NameContext,
  statement: ReadStatement | CommandStatement,
): Promise<Reading> {
  const nodes = syntaxTree(await explainSyntax(connection, statement.text));
  const reading = guardSyntax(rules, context, statement, nodes);
  for (const view of reading.unknownTables) await refuseUnlessView(connection, view);
  return reading;
}

/** As lookAgain(), for an insert whose data comes from elsewhere. */
export async function lookAtInsert(
  connection: ChdbConnection,
  context: NameContext,
  statement: InsertStatement,
): Promise<void> {
  const explained = await explainSyntax(connection, `${statement.head} FORMAT ${statement.format}`);
  guardInsertSyntax(context, statement, syntaxTree(explained));
}

/** The engine's syntax tree as text; fails as the statement itself would, on the text as the client wrote it. */
export async function explainSyntax(connection: ChdbConnection, original: string): Promise<string> {
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

/** A view with parameters is called as a function is; nothing else that no list knows may be. */
async function refuseUnlessView(connection: ChdbConnection, name: string): Promise<void> {
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
