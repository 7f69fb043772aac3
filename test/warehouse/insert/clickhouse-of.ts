/** The embedded ClickHouse of a test file, as the warehouse wants it, directly or through a proxy. */

import type { ClickHouse } from '../../../src/warehouse/clickhouse.ts';
import type { EmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';

export function clickhouseOf(server: EmbeddedServer, database: string, url = server.clickhouse.url): ClickHouse {
  return {
    url,
    database,
    username: server.clickhouse.writer.username,
    password: server.clickhouse.writer.password,
    embedded: true,
    folder: server.folder,
    figures: () => ({ url, database, embedded: true }),
    showWatermark: () => undefined,
    stop: async () => undefined,
  };
}

/** Rows of a query, through the engine's own user. */
export async function rowsOf<Row>(server: EmbeddedServer, sql: string): Promise<Row[]> {
  const text = await server.run(`${sql} FORMAT JSONEachRow`, { asEngine: true });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
