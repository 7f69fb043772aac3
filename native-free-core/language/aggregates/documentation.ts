/** What the reference says of an aggregate: a row of the table in docs/pipeline.md, and an example. */

export interface AggregateDocumentation {
  /** What `of` may be. */
  readonly input: string;
  /** What it is. */
  readonly value: string;
  /** Its value with nothing in the window. */
  readonly empty: string;
  /** A feature of a customer of the example shop, as YAML. */
  readonly example: string;
}
