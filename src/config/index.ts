/** The pipeline file: loading, checking, and its JSON Schema. Other stages see the plan only. */

export { compilePipeline, type CompiledPipeline } from './compile-pipeline.ts';
export { parseList } from './list-files.ts';
export { compileSources, loadPipeline, loadPipelineFile, protoReader, type LoadedPipeline } from './load-pipeline.ts';
export type { NamedFile, PipelineSources } from './pipeline-sources.ts';
export { setRuleDisabled } from './disable.ts';
export { PipelineError, problemText } from './problems.ts';
export type { Problem } from './source.ts';
export type { ProtoFile, ProtoReader } from './proto/index.ts';
export { pipelineJsonSchema } from './schema.ts';
export type { PipelineExpectation, PipelineTest } from './tests-section.ts';
export { durationText } from './units.ts';
export { windowText } from './features.ts';
export {
  describeChange,
  type ChangeDescription,
  type ChangeOptions,
  type Edit,
  type EditClass,
  type FeatureChange,
} from './change/index.ts';
export { withShadow } from './shadow.ts';
