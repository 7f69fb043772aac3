/** A query that a pipeline names (docs/queries.md). Made by src/config, run by src/queries. */

export interface QueryPlan {
  readonly name: string;
  /** One line for those who choose; '' where nobody wrote one. */
  readonly about: string;
  /** ClickHouse SQL with `{name:Type}` for each parameter. */
  readonly sql: string;
  /** In the order in which the text names them. */
  readonly parameters: readonly QueryParameterPlan[];
  /** Most rows of an answer; more are refused, never cut. */
  readonly rowsMax: number;
  readonly msMax: number;
}

export interface QueryParameterPlan {
  readonly name: string;
  /** As ClickHouse calls it, without Nullable. */
  readonly type: string;
  /** As a caller would write it; null: the caller must. */
  readonly default: string | null;
}
