/** `hunt sql`: asks ClickHouse and streams the answer to standard output. */

import { defineCommand } from 'citty';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { HuntControl, openQuery, queryTarget } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';

export const sqlCommand = defineCommand({
  args: {
    query: {
      type: 'positional',
      required: true,
      description: 'The question, in ClickHouse SQL; - reads it from standard input',
    },
    ...URL_OPTIONS,
    clickhouse: {
      type: 'string',
      description: 'ClickHouse’s own address instead: http://user:password@host:8123/database',
    },
    format: {
      type: 'string',
      default: 'PrettyCompact',
      description: 'Any output format of ClickHouse, for example JSONEachRow or CSVWithNames',
    },
    ...jsonOption('The same as --format JSON: one JSON object'),
  },
  async run({ args }) {
    const sql = args.query === '-' ? await text(process.stdin) : args.query;
    const target = await queryTarget(new HuntControl(serverOf(args)), args.clickhouse);
    const interruption = new AbortController();
    const onSignal = (): void => interruption.abort();
    process.once('SIGINT', onSignal);
    try {
      const response = await openQuery(
        target,
        sql,
        { default_format: args.json ? 'JSON' : args.format },
        interruption.signal,
      );
      if (response.body !== null) await pipeline(Readable.fromWeb(response.body), process.stdout, { end: false });
    } catch (cause) {
      // Whoever reads the answer may have enough of it: hunt sql … | head.
      if ((cause as NodeJS.ErrnoException).code === 'EPIPE') return;
      if (interruption.signal.aborted) throw new OperatingError('interrupted', 'the query was cancelled', { cause });
      if (cause instanceof OperatingError) throw cause;
      throw new OperatingError(
        'query_failed',
        `ClickHouse broke off its answer, which is not whole: reason=${(cause as Error).message}; --format JSONEachRow with wait_end_of_query=1 tells why`,
        { cause },
      );
    } finally {
      process.off('SIGINT', onSignal);
    }
  },
});
