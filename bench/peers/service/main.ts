/**
 * The service that a Node team writes first: one process, features in Maps, an answer at once, rows in batches into
 * ClickHouse. Started by node-service.ts: `main.js json|protobuf CLICKHOUSE_URL`; prints its port as a line of JSON.
 */

import { Rows } from './rows.ts';

const [encoding, clickhouse] = process.argv.slice(2);
const rows = new Rows(clickhouse!);
const open =
  encoding === 'json'
    ? (await import('./json-door.ts')).openJsonDoor
    : // uWebSockets.js does not load on every system.
      (await import('./protobuf-door.ts')).openProtobufDoor;
console.log(JSON.stringify({ port: await open(rows) }));
