/**
 * Says every few seconds how many rows are in ClickHouse, so that nobody stares at nothing while the players play. Called by
 * demo.ts.
 */

import { eventsSource } from '../../../contract/events-source.ts';
import { askRows, type ClickHouseAddress } from './questions.ts';

export interface Progress {
  stop(): void;
}

const EVERY_MS = 4000;

export function showRows(clickhouse: ClickHouseAddress, print: (line: string) => void): Progress {
  const timer = setInterval(() => {
    askRows<{ rows: number }>(clickhouse, `SELECT count() AS rows FROM ${eventsSource('all').from}`).then(
      ([row]) => print(`          ${(row?.rows ?? 0).toLocaleString('en')} events are rows in ClickHouse`),
      (error: unknown) => print(`          ${String(error)}`),
    );
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
