/** The door of the twin: features as ClickHouse queries, and whether they agree with what the kernels stored. */
export { eventTimeSql } from './event-time.ts';
export { featureSql, type Chunk, type FeatureSqlOptions } from './feature-sql.ts';
export { orderSql, straySql, type OrderLine } from './order-sql.ts';
export { skewSql, verifySql, type VerifyLine, type VerifyRange } from './verify-sql.ts';
