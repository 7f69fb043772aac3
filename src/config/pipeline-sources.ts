/** The texts of a pipeline: the file, and the files that it names. Data only; made by load-pipeline.ts. */

/** A pipeline with all that it names, as texts: what another machine compiles to the same plan. */
export interface PipelineSources {
  /** Name of the pipeline file, in messages. */
  readonly file: string;
  readonly text: string;
  readonly files: readonly NamedFile[];
}

/** What a name meant where it was read. */
export interface NamedFile {
  readonly name: string;
  /** Path of the importing file; null: the pipeline. */
  readonly importer: string | null;
  readonly path: string;
  readonly text: string;
}
