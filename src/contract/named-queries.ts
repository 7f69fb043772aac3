/**
 * Named queries as `GET /v1/queries` tells of them, how one is put to ClickHouse, and what it answers in JSON. Written by
 * queries/, read by warehouse/ and by clients.
 */

export interface QueryDescription {
  readonly name: string;
  readonly about: string;
  readonly source: 'shipped' | 'pipeline';
  readonly parameters: readonly QueryParameterDescription[];
  /** Bounds of an answer. */
  readonly rowsMax: number;
  readonly msMax: number;
}

export interface QueryParameterDescription {
  readonly name: string;
  /** As ClickHouse calls it. */
  readonly type: string;
  /** null: the caller must give one. */
  readonly default: string | null;
  /** The only values. */
  readonly choices?: readonly string[];
}

/** What goes along with a statement that a client asks for. */
export interface ClientQuestion {
  /** Values of `{name:Type}`, as ClickHouse reads them. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  /** As ClickHouse calls it. */
  readonly format: string;
  readonly bytesMax: number;
}

export interface QueryAnswer {
  readonly query: string;
  /** As they were given or are by default. */
  readonly parameters: Readonly<Record<string, string>>;
  /** `time`: milliseconds since 1970; other types as ClickHouse calls them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Integers of 64 bits are texts. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number;
  readonly seconds: number;
}
