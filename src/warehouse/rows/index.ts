/** The door of stored rows: back from ClickHouse into tables. */
export { fillFromRows, type FillInput } from './fill-from-rows.ts';
export { countEntityRows, rebuildEntity, type RebuildRows } from './rebuild-entities.ts';
export { rebuildIds } from './rebuild-ids.ts';
export { countLimitRows, rebuildLimits } from './rebuild-limits.ts';
export { sliceEpochs } from './row-slices.ts';
export { lastStored, readStoredAccount, type StoredAccount } from './stored-account.ts';
