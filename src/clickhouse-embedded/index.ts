/**
 * The door of the embedded ClickHouse. The engine's main thread starts it; whoever inserts batches takes its settings from
 * here.
 */
export { startEmbedded, type EmbeddedClickHouse, type EmbeddedOptions } from './start-clickhouse.ts';
export { HANDED_BODY_HEADER, newHandedBody } from './handed-body.ts';
export { BATCH_INSERT_SETTINGS } from './whole-insert.ts';
export { FOR_CLIENT_HEADER } from './request.ts';
