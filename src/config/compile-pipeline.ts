/**
 * From a pipeline file's text to its plan. Pure: files are read through the reader that is handed in, so that a test or
 * a browser can compile a pipeline too. Called by load-pipeline.ts.
 */

import { createHash } from 'node:crypto';
import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { Plan, SystemColumns } from '../../native-free-core/plan/plan.ts';
import { createColumns, type ColumnBuilder } from './columns.ts';
import type { Compilation } from './compilation.ts';
import { compileDecisions } from './decisions.ts';
import { compileDerivedOfEvent, compileDerivedOfState } from './derived.ts';
import { compileEntities } from './entities.ts';
import { compileEvents, type CompiledEvents } from './events.ts';
import { compileExperiments } from './experiments.ts';
import { compileFeatures } from './features.ts';
import { compileLists } from './list-files.ts';
import { addModel, noModels } from './models.ts';
import { gatherProblems, PipelineError, sortedProblems, type Problems } from './problems.ts';
import type { ProtoReader } from './proto/index.ts';
import type { PipelineDeclaration } from './schema.ts';
import { checkShape } from './shape.ts';
import { compileQueries } from './queries.ts';
import { readSource, type PipelineSource } from './source.ts';
import { compileTests, type PipelineTest } from './tests-section.ts';
import { checkEventBounds, producersPlan } from './event-bounds.ts';
import { countOf, durationMs } from './units.ts';

/** Where the pipeline file says nothing. */
const DEFAULTS = {
  acceptMaxAge: '3650d',
  acceptMaxFuture: '5m',
  maxFutureSkew: '5s',
  dedupWindow: '10m',
  dedupIdsMax: 4_000_000,
  dictionaryMax: 65_536,
};
import { zoneDataVersion } from './zones.ts';

const VERSION_DIGITS = 16;
/**
 * Part of a version's number. Grows where the compiler makes something else of the same files, so that they can be deployed
 * again.
 */
const COMPILER = 'compiler 2';

export interface CompiledPipeline {
  readonly plan: Plan;
  /** `events.import`; applied to files by the core's mapping/. */
  readonly importMap: ImportMap;
  readonly tests: readonly PipelineTest[];
  /** What is odd about the message or a model's file and does not stop it. */
  readonly warnings: readonly string[];
}

/** `file` names the source in messages. Throws a PipelineError with every problem found. */
export function compilePipeline(file: string, text: string, readProto: ProtoReader): CompiledPipeline {
  const source = readSource(text);
  const problems = gatherProblems(source);
  const declaration = problems.list.length === 0 ? checkShape(source.value, problems) : null;
  const compiled = declaration && compileDeclaration(declaration, source, problems, readProto);
  if (problems.list.length > 0 || compiled === null) throw new PipelineError(file, sortedProblems(problems.list));
  return compiled;
}

function compileDeclaration(
  declaration: PipelineDeclaration,
  source: PipelineSource,
  problems: Problems,
  readProto: ProtoReader,
): CompiledPipeline | null {
  const columns = createColumns(problems);
  const { receivedAt, effectiveTime } = timeColumns(columns);
  checkEventBounds(declaration.events, problems);
  const events = compileEvents(declaration.events, columns, problems, readProto);
  if (events === null) return null;
  const c: Compilation = {
    declaration,
    problems,
    columns,
    message: events.message,
    timeColumn: events.timeColumn,
    effectiveTimeColumn: effectiveTime,
    computed: [],
    zones: new Map(),
    features: new Map(),
    derived: new Map(),
    lists: new Map(),
    experiments: new Map(),
    models: new Map(Object.keys(declaration.models ?? {}).map((name) => [name, null])),
  };
  const lists = compileLists(c, readProto);
  for (const { name, type } of lists) c.lists.set(name, type);
  const experiments = compileExperiments(c);
  const waiting = compileDerivedOfEvent(c);
  const entities = compileEntities(c);
  const features = compileFeatures(c, entities);
  const models = noModels();
  compileDerivedOfState(c, waiting, (name) => addModel(c, name, readProto, models));
  const decisions = compileDecisions(c);
  const queries = compileQueries(c);
  const tests = compileTests(c, decisions, (path) => source.positionOf(source.offsetOf(path)).line);
  const system = { ...systemColumns(columns, events), receivedAt, effectiveTime };
  const plan: Plan = {
    pipeline: declaration.pipeline,
    owner: declaration.owner ?? '',
    ...versionOf(source, events, [...models.files, ...[...c.zones.values()].map((zone) => JSON.stringify(zone))]),
    message: events.message.plan,
    columns: columns.columns,
    ...(columns.views.length === 0 ? {} : { views: columns.views }),
    system,
    ...boundsOf(declaration.events),
    entities: entities.map((entity, i) => ({ ...entity, features: features[i]! })),
    computed: c.computed,
    zones: [...c.zones.values()],
    ...(c.zones.size === 0 ? {} : { zoneData: zoneDataVersion() }),
    lists,
    experiments,
    ...(models.plans.length === 0 ? {} : { models: models.plans }),
    ...(queries.length === 0 ? {} : { queries }),
    decisions,
    source: source.text,
  };
  return { plan, importMap: events.importMap, tests, warnings: [...events.warnings, ...models.warnings] };
}

function timeColumns(columns: ColumnBuilder): Pick<SystemColumns, 'receivedAt' | 'effectiveTime'> {
  const add = (name: string, comment: string): number =>
    columns.add({ name, kind: 'time', comment }, 'the engine', ['events']);
  return {
    receivedAt: add('received_at', 'when the server got the event'),
    effectiveTime: add('effective_time', 'event time, at most a declared skew beyond received_at; windows go by it'),
  };
}

function systemColumns(
  columns: ColumnBuilder,
  events: CompiledEvents,
): Omit<SystemColumns, 'receivedAt' | 'effectiveTime'> {
  const add = (name: string, kind: 'dictionary' | 'u64' | 'u32' | 'u8', comment: string): number =>
    columns.add({ name, kind, comment }, 'the engine', ['events']);
  return {
    eventId: events.idColumn,
    eventTime: events.timeColumn,
    type: events.message.typeColumn,
    producer: add('_producer', 'dictionary', 'who sent the event; empty where nobody said so'),
    frameSeq: add('_frame_seq', 'u64', 'sequence number of the frame that brought the event'),
    frameIndex: add('_frame_index', 'u32', 'place of the event in its frame'),
    overflow: add('_overflow', 'u8', '1 where a feature was too large to be exact'),
  };
}

/** Of all that a plan is made of. `others`: models’ files, and the tables of zones, which another release may change. */
function versionOf(
  source: PipelineSource,
  events: CompiledEvents,
  others: readonly string[],
): { version: string; versionNumber: number } {
  const hash = createHash('sha256');
  for (const text of [COMPILER, source.text, ...events.proto.files.map((file) => file.text), ...others])
    hash.update(text).update('\0');
  const digest = hash.digest();
  return { version: digest.toString('hex').slice(0, VERSION_DIGITS), versionNumber: digest.readUInt32BE(0) };
}

function boundsOf(
  events: PipelineDeclaration['events'],
): Pick<
  Plan,
  | 'acceptMaxAgeMs'
  | 'acceptMaxFutureMs'
  | 'maxFutureSkewMs'
  | 'dedupWindowMs'
  | 'dedupIdsMax'
  | 'dictionaryMax'
  | 'producers'
  | 'unknownFields'
> {
  return {
    acceptMaxAgeMs: durationMs(events.accept?.max_age ?? DEFAULTS.acceptMaxAge),
    acceptMaxFutureMs: durationMs(events.accept?.max_future ?? DEFAULTS.acceptMaxFuture),
    maxFutureSkewMs: durationMs(events.max_future_skew ?? DEFAULTS.maxFutureSkew),
    dedupWindowMs: durationMs(events.dedup?.window ?? DEFAULTS.dedupWindow),
    dedupIdsMax: events.id === undefined ? 0 : countOf(events.dedup?.ids_max ?? DEFAULTS.dedupIdsMax),
    dictionaryMax: countOf(events.dictionary_max ?? DEFAULTS.dictionaryMax),
    ...(events.unknown_fields === undefined ? {} : { unknownFields: events.unknown_fields }),
    ...(events.producers === undefined ? {} : { producers: producersPlan(events.producers) }),
  };
}
