/** A list of keys as `GET /v1/lists` tells of it: what `versions/` says and the client reads. */

export interface ListDescription {
  readonly name: string;
  readonly type: 'int' | 'string';
  readonly entries: number;
  readonly max: number;
  /** The file that the pipeline names. */
  readonly file: string;
  /** ISO time of the last replacement; null: as the pipeline's file had it. */
  readonly replacedAt: string | null;
}
