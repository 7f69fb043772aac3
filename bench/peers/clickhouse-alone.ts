/**
 * The embedded ClickHouse without an engine, for the peers: `clickhouse-alone.js FOLDER`; prints its address and pid as a line
 * of JSON. Started by peer-clickhouse.ts, which ends it by killing it: the ClickHouse goes with its parent.
 */

import { startEmbedded } from '../../src/clickhouse-embedded/index.ts';

const clickhouse = await startEmbedded({
  dataDirectory: process.argv[2]!,
  listen: '127.0.0.1:0',
  log: (level, message, fields) => console.error(level, message, JSON.stringify(fields ?? {})),
});
const { pid, host, port, writer } = clickhouse;
console.log(JSON.stringify({ pid, host, port, ...writer }));
