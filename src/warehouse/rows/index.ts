/** The door of stored rows: back from ClickHouse into tables. */
export { fillFromRows, type FillInput } from './fill-from-rows.ts';
