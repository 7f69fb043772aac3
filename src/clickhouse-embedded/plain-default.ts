/**
 * Makes the database `default` an ordinary one. The library opens it as an overlay over the file system of the machine:
 * there `SELECT * FROM "/etc/passwd"` reads the file, by a table's name that no guard could tell from others, and an INSERT
 * writes one. Attached again as Atomic it holds tables only; they stay where they are on disk. At every start, since the
 * library opens it its own way each time. Child process.
 */
import type { ChdbConnection, ChdbEngine } from './chdb.ts';
import { nameLiteral, stringLiteral } from './lexer.ts';

/** Tables may depend on one another; all of them come back. */
const DETACH_SETTINGS = new Map([
  ['check_table_dependencies', '0'],
  ['check_referential_table_dependencies', '0'],
]);

export async function makeDefaultPlain(engine: ChdbEngine): Promise<void> {
  const connection = engine.connect(DETACH_SETTINGS);
  try {
    const [kind, uuid] = await row(connection, `SELECT engine, uuid FROM system.databases WHERE name = 'default'`);
    if (kind === 'Atomic') return;
    const tables = await column(connection, `SELECT name FROM system.tables WHERE database = 'default'`);
    for (const table of tables) await connection.run(`DETACH TABLE default.${nameLiteral(table)} SYNC`);
    await connection.run('DETACH DATABASE default');
    await attach(connection, uuid ?? '');
  } finally {
    connection.close();
  }
}

/** It is on disk already, from an earlier start, or gets the place that the overlay had. */
async function attach(connection: ChdbConnection, uuid: string): Promise<void> {
  try {
    await connection.run('ATTACH DATABASE default');
  } catch {
    await connection.run(`ATTACH DATABASE default UUID ${stringLiteral(uuid)} ENGINE = Atomic`);
  }
}

async function column(connection: ChdbConnection, query: string): Promise<string[]> {
  // One value for each line, as text that can be read back whatever the names are.
  const text = (await connection.run(query, 'JSONCompactEachRow')).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => String((JSON.parse(line) as unknown[])[0]));
}

async function row(connection: ChdbConnection, query: string): Promise<string[]> {
  return (await connection.run(query)).text().trim().split('\t');
}
