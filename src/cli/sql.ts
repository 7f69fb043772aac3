/** `hunt sql`: asks ClickHouse and streams the answer to standard output. */

import { defineCommand } from 'citty';
import { Writable } from 'node:stream';
import { OperatingError } from '../errors.ts';
import { getJson, httpUrl, type ServerFacts } from './load/server-figures.ts';

export const sqlCommand = defineCommand({
  meta: { name: 'hunt sql', description: 'Ask ClickHouse: hunt sql "SELECT count() FROM events"' },
  args: {
    query: { type: 'positional', required: true, description: 'The question, in ClickHouse SQL' },
    url: { type: 'string', default: 'http://127.0.0.1:8700', description: 'The server, which names its ClickHouse' },
    key: { type: 'string', description: 'API key of the server' },
    clickhouse: {
      type: 'string',
      description: 'ClickHouse’s own address instead: http://user:password@host:8123/database',
    },
    format: {
      type: 'string',
      default: 'PrettyCompact',
      description: 'Any output format of ClickHouse, for example JSONEachRow or CSVWithNames',
    },
    json: { type: 'boolean', default: false, description: 'The same as --format JSON: one JSON object' },
  },
  async run({ args }) {
    const facts =
      args.clickhouse === undefined ? await getJson<ServerFacts>(httpUrl(args.url), '/v1/server', args.key) : null;
    const address = new URL(args.clickhouse ?? facts!.clickhouse.url);
    const database = facts?.clickhouse.database ?? (decodeURIComponent(address.pathname.slice(1)) || 'hunt');
    const headers: Record<string, string> = {};
    if (address.username !== '') {
      headers['x-clickhouse-user'] = decodeURIComponent(address.username);
      headers['x-clickhouse-key'] = decodeURIComponent(address.password);
    }
    const target = new URL('/', address.origin);
    target.searchParams.set('database', database);
    target.searchParams.set('default_format', args.json ? 'JSON' : args.format);
    let response: Response;
    try {
      response = await fetch(target, { method: 'POST', body: args.query, headers });
    } catch (cause) {
      throw new OperatingError('clickhouse_unreachable', `no ClickHouse answers: clickhouse=${address.origin}`, {
        cause,
      });
    }
    if (!response.ok) throw new OperatingError('query_failed', (await response.text()).trim());
    await response.body?.pipeTo(Writable.toWeb(process.stdout) as WritableStream<Uint8Array>);
  },
});
