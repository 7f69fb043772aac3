/** The door of the tables: whoever starts the engine creates them; whoever asks questions takes their names from here. */
export {
  createTables,
  recordPipeline,
  type PipelineRecord,
  type TableChanges,
  type TableConnection,
} from './create-tables.ts';
export { batchesTable, deadLettersTable, eventsTable, pipelinesTable } from './definitions.ts';
export { sortKey } from './sort-key.ts';
export { storedPlan, type StoredColumns } from './stored-plan.ts';
export { planMigration, type ExistingColumn } from './migrate.ts';
