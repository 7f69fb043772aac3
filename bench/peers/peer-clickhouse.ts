/** The same embedded ClickHouse for a peer, and its table: the engine's columns for events, features and decisions, and its settings. */

import { join } from 'node:path';
import { openQuery, type QueryTarget } from '../../src/client/index.ts';
import { compiledUrl } from '../../src/system/compiled-url.ts';
import { BATCH_TABLE_SETTINGS } from '../../src/warehouse/tables/table-storage.ts';
import { startChild } from '../load/children.ts';

export interface PeerClickHouse {
  readonly pid: number;
  /** With the credentials of the user that writes, and the database. */
  readonly url: string;
  readonly target: QueryTarget;
  kill(): Promise<void>;
}

const START_MS = 60_000;
const DATABASE = 'peers';
const WHOLE = 'CODEC(T64, LZ4)';
const TIME = "DateTime64(3, 'UTC') CODEC(Delta(8), LZ4)";

/** The engine’s columns, with enums where it has dictionaries of texts; Flink’s sink writes them in this order. */
export const PEER_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['event_id', 'String'],
  ['player_id', `UInt64 ${WHOLE}`],
  ['hunt_id', `UInt64 ${WHOLE}`],
  ['event_time', TIME],
  ['received_at', TIME],
  ['lat', 'Nullable(Float64)'],
  ['lon', 'Nullable(Float64)'],
  ['action', "Enum8('' = 0, 'join' = 1, 'move' = 2, 'dig' = 3, 'clue' = 4, 'find' = 5, 'purchase' = 6)"],
  ['join_platform', 'LowCardinality(Nullable(String))'],
  ['move_metres', 'Nullable(Float32)'],
  ['dig_depth', 'Nullable(Float64)'],
  ['dig_tool', "Nullable(Enum8('HANDS' = 0, 'SPADE' = 1, 'DRILL' = 2))"],
  ['clue_clue_id', `Nullable(UInt32) ${WHOLE}`],
  ['find_points', `Nullable(UInt32) ${WHOLE}`],
  ['find_rarity', "Nullable(Enum8('COMMON' = 0, 'RARE' = 1, 'LEGENDARY' = 2))"],
  ['purchase_amount', 'Nullable(Float64)'],
  ['purchase_item', 'LowCardinality(Nullable(String))'],
  ...['digs_1m', 'digs_5m', 'clues_5m', 'finds_5m'].map((name) => [`player_${name}`, `UInt32 ${WHOLE}`] as const),
  ['player_points_5m', `UInt64 ${WHOLE}`],
  ['player_depth_5m', 'Nullable(Float64)'],
  ['player_spent_1h', 'Float64'],
  ['player_last_lat', 'Nullable(Float64)'],
  ['player_last_lon', 'Nullable(Float64)'],
  ['player_quiet', `Nullable(Int64) ${WHOLE}`],
  ['hunt_digs_1m', `UInt32 ${WHOLE}`],
  ['hunt_finds_5m', `UInt32 ${WHOLE}`],
  ['hunt_best_find_1h', `Nullable(UInt32) ${WHOLE}`],
  ['hunt_spent_1h', 'Float64'],
  ['assistance', "Enum8('' = 0, 'hint' = 1, 'continue' = 2)"],
  ['assistance_rule', "Enum8('' = 0, 'default' = 1, 'stuck' = 2, 'scratching' = 3, 'cold_hunt' = 4)"],
  ['trust', "Enum8('' = 0, 'allow' = 1, 'challenge' = 2)"],
  ['trust_rule', "Enum8('' = 0, 'default' = 1, 'digger' = 2, 'lucky' = 3, 'teleport' = 4, 'too_rich' = 5)"],
];

export async function startPeerClickHouse(folder: string): Promise<PeerClickHouse> {
  const file = new URL(compiledUrl(import.meta.url, './clickhouse-alone.js')).pathname;
  const child = startChild('ClickHouse', process.execPath, [file, join(folder, 'clickhouse')]);
  const said = JSON.parse(await child.line(START_MS)) as Said;
  const { host, port, username, password } = said;
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  const headers = { authorization: `Basic ${credentials}` };
  const target = { origin: `http://${host}:${port}`, database: 'default', headers };
  const settings = Object.entries(BATCH_TABLE_SETTINGS).map(([name, value]) => `${name} = ${value}`);
  const columns = PEER_COLUMNS.map(([name, type]) => `${name} ${type}`);
  for (const sql of [
    `CREATE DATABASE ${DATABASE}`,
    `CREATE TABLE ${DATABASE}.events (${columns.join(', ')}) ENGINE = MergeTree
      PARTITION BY toYYYYMMDD(received_at, 'UTC') ORDER BY (player_id, event_time) SETTINGS ${settings.join(', ')}`,
    // The engine puts merges off under load: so do they.
    `SYSTEM STOP MERGES ${DATABASE}.events`,
  ])
    await (await openQuery(target, sql, {})).text();
  return {
    pid: said.pid,
    url: `http://${username}:${password}@${host}:${port}/${DATABASE}`,
    target: { ...target, database: DATABASE },
    kill: () => child.kill(),
  };
}

interface Said {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}
