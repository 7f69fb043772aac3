/**
 * The shape of a pipeline file: which keys there are and what kind of value each takes. Whether names exist and types
 * fit is checked later, by compile-pipeline.ts. The JSON Schema for editors is made from this.
 */

import { z } from 'zod';
import { aggregateOptions } from '../../native-free-core/language/aggregates/index.ts';
import { AGGREGATE_NAMES } from '../../native-free-core/language/aggregates/aggregate-names.ts';
import type { Option } from '../../native-free-core/language/aggregates/aggregate-options.ts';
import { COUNT_PATTERN, DURATION_PATTERN } from './units.ts';

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

const name = z.string().regex(NAME, 'a name begins with a small letter and has small letters, digits and _ only');
const duration = z
  .string()
  .regex(DURATION_PATTERN, 'write a duration as a whole number with ms, s, m, h or d, such as 30s or 5m');
const COUNT_HINT = 'write a count as a whole number above 0, with k or M if you like, such as 100k or 2M';
const count = z.union([z.number().int(COUNT_HINT).positive(COUNT_HINT), z.string().regex(COUNT_PATTERN, COUNT_HINT)], {
  error: COUNT_HINT,
});
const expression = z.string().min(1, 'write an expression').max(10_000);
const text = z.string().min(1);
const decimals = z.number().int().min(0).max(9);

/** Keys of single aggregates, as their own files have them. Read by name (features.ts). */
function aggregateKeys(): Record<never, never> {
  const keys = [...aggregateOptions()].map(([key, takers]) => {
    const description = takers.map(({ aggregate, description: text }) => `${aggregate}: ${text}.`).join(' ');
    if (takers.some(({ shape }) => JSON.stringify(shape) !== JSON.stringify(takers[0]!.shape)))
      throw new Error(`aggregates differ in the shape of a key that they share: key=${key}`);
    return [key, optionSchema(takers[0]!).optional().describe(description)];
  });
  return Object.fromEntries(keys) as Record<never, never>;
}

function optionSchema({ shape }: Option): z.ZodType {
  switch (shape.kind) {
    case 'whole':
      return z.number().int().min(1).max(shape.most);
    case 'duration':
      return duration;
    case 'fraction': {
      const hint = `write a number from 0 to 1 with at most ${shape.digits} digits behind the point, such as 0.95`;
      return z
        .number(hint)
        .min(0, hint)
        .max(1, hint)
        .multipleOf(10 ** -shape.digits, hint);
    }
  }
}

const WINDOW_HINT = 'write a duration such as 5m, or { session: 30m }, or { calendar: day, zone: Europe/Berlin }';

const field = z.strictObject({
  decimals: decimals
    .optional()
    .describe('Digits behind the point that count: the field is aggregated as an exact integer of 10^-decimals.'),
  dictionary: z
    .boolean()
    .optional()
    .describe('Few distinct strings: stored as LowCardinality and compared as integers.'),
  comment: z.string().max(1000).optional(),
});

const events = z.strictObject({
  proto: text.describe('The .proto file, relative to this file or to the package’s proto/.'),
  message: text.describe('Full name of the message that an event is.'),
  type: name.optional().describe('The oneof whose branches are the event types.'),
  branch_columns: z
    .enum(['own', 'shared'])
    .optional()
    .describe(
      'Whether fields of the oneof’s branches share columns; default: shared where there are more than 64 of them.',
    ),
  id: text.optional().describe('The field that names an event for deduplication.'),
  time: text.describe('A google.protobuf.Timestamp, or an integer of milliseconds since 1970.'),
  accept: z.strictObject({ max_age: duration.optional(), max_future: duration.optional() }).optional(),
  max_future_skew: duration.optional(),
  dedup: z.strictObject({ window: duration.optional(), ids_max: count.optional() }).optional(),
  unknown_fields: z
    .enum(['reject', 'warn', 'ignore'])
    .optional()
    .describe(
      'Fields of an event that the message does not have. warn (default): skipped, counted, named in the answer; reject: the event is refused; ignore: skipped and counted.',
    ),
  dictionary_max: count
    .optional()
    .describe('Distinct strings in all dictionary fields together; one producer may bring a quarter of them.'),
  producers: z
    .strictObject({
      max: count.optional().describe('Most producers remembered at once.'),
      forget_after: duration.optional().describe('A producer that has sent nothing for so long is forgotten.'),
    })
    .optional(),
  fields: z.record(text, field).optional(),
  import: z
    .record(text, text)
    .optional()
    .describe('Field -> column of a CSV or key of an NDJSON file, for `hunt send`.'),
});

const entity = z.strictObject({
  key: z.union([expression, z.array(expression).min(1).max(8)], {
    error: 'write a key as an expression, or as a list of them',
  }),
  primary: z.boolean().optional(),
  max: count.describe('Most entities kept at once.'),
  ttl: duration.describe('An entity without events for so long may be forgotten.'),
});

const feature = z.strictObject({
  agg: z.enum(AGGREGATE_NAMES),
  of: expression.optional(),
  where: expression.optional(),
  window: z
    .union(
      [
        duration,
        z.strictObject({ session: duration, late: duration.optional() }),
        z.strictObject({ calendar: z.literal('day'), zone: text }),
      ],
      { error: WINDOW_HINT },
    )
    .optional(),
  windows: z.array(duration).min(1).max(16).optional(),
  hop: duration.optional(),
  decimals: decimals.optional(),
  exact: z.boolean().optional(),
  delay: duration
    .optional()
    .describe('The window ends so long before the entity’s clock: for inputs that are known late.'),
  current_event: z.enum(['include', 'exclude']).optional().describe('exclude: the value before this event.'),
  ...aggregateKeys(),
});

const limit = z.strictObject({
  count: count.describe('Most times within the window.'),
  per: duration.describe('The window: it ends at the entity’s clock.'),
  entity: name.describe('Each key of this entity has a limit of its own.'),
  hop: duration.optional().describe('Steps in which the window forgets; default as for features.'),
});

const rule = z.strictObject({
  id: name,
  when: expression,
  // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
  then: name,
  limit: limit.optional().describe('How often the rule may fire; used up, the next rule has its turn.'),
  disabled: z.boolean().optional().describe('Switched off: as if its condition were never true.'),
});

const decision = z.strictObject({
  where: expression.optional(),
  actions: z.array(name).min(1).max(1000),
  rules: z.array(rule).max(10_000),
  default: name,
});

const list = z.strictObject({
  file: text.describe('One entry a line, relative to this file.'),
  type: z.enum(['string', 'int']),
  max: count.describe('Most entries.'),
});

const experiment = z.strictObject({
  key: expression.describe('What is split: the same key always falls into the same arm.'),
  salt: z.string().max(1000).optional().describe('Another salt splits anew; default: the name of the experiment.'),
  arms: z
    .record(name, z.number().min(0).max(100))
    .refine((arms) => Object.keys(arms).length > 0, 'an experiment needs at least one arm')
    .describe('Percent by arm, 100 together, at most two digits behind the point.'),
});

const model = z.strictObject({
  file: text.describe(
    'As the library saved it, relative to this file; for linear and logistic: intercept and weights.',
  ),
  format: z.enum(['xgboost', 'lightgbm', 'linear', 'logistic']),
  inputs: z.array(expression).min(1).max(1000).describe('Names, in the order of the model’s own features.'),
  output: z
    .enum(['margin', 'probability', 'value'])
    .optional()
    .describe('What the score is; default: probability for logistic objectives, otherwise value.'),
  categories: z
    .record(text, z.union([z.array(z.union([z.string(), z.number(), z.boolean()])).min(1), z.literal('codes')]))
    .optional()
    .describe(
      'The place in the list is the number that the model sees; codes: the input is that number. Left out where the file lists them.',
    ),
  iterations: z
    .union([z.literal('all'), z.literal('best'), z.number().int().min(1)])
    .optional()
    .describe('How many rounds of boosting count; default: up to best_iteration where the file has it, otherwise all.'),
});

const query = z.strictObject({
  about: z.string().max(1000).optional().describe('One line for those who choose.'),
  sql: z.string().min(1).max(20_000).describe('One SELECT; {name:Type} stands for a parameter.'),
  defaults: z
    .record(name, z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('What a parameter is where the caller gives none.'),
  rows_max: count.optional().describe('Most rows of an answer; default 10k, at most 1M.'),
  time_max: duration.optional().describe('Longest that it may run, in whole seconds; default 10s, at most 20s.'),
});

const expectation = z.strictObject({
  at: z.union([z.string(), z.number()]).describe('Id of the event.'),
  decision: z.record(name, z.string()).optional(),
  rule: z.string().optional(),
  experiment: z.record(name, z.string()).optional(),
  features: z.record(z.string(), z.union([z.number(), z.boolean(), z.string(), z.null()])).optional(),
});

const test = z.strictObject({ name: text, events: text, expect: z.array(expectation).min(1) });

export const pipelineSchema = z.strictObject({
  format: z.literal(1),
  pipeline: z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a pipeline’s name has small letters, digits, - and _ only'),
  owner: z.string().optional(),
  events,
  entities: z.record(name, entity),
  features: z.record(name, z.record(name, feature)).optional(),
  lists: z.record(name, list).optional().describe('Files of keys that rules ask with in list.<name>.'),
  derived: z.record(name, expression).optional().describe('Named expressions: derived.<name>.'),
  experiments: z.record(name, experiment).optional().describe('Percentage splits: experiment.<name> is the arm.'),
  models: z.record(name, model).optional().describe('Trained models: model.<name> is the score.'),
  decisions: z.record(name, decision).optional(),
  queries: z.record(name, query).optional().describe('Named questions about stored rows: `hunt query <name>`.'),
  tests: z.array(test).optional(),
});

export type PipelineDeclaration = z.infer<typeof pipelineSchema>;
export type EntityDeclaration = z.infer<typeof entity>;
export type FeatureDeclaration = z.infer<typeof feature>;
export type ExperimentDeclaration = z.infer<typeof experiment>;
export type ModelDeclaration = z.infer<typeof model>;
export type LimitDeclaration = z.infer<typeof limit>;
export type DecisionDeclaration = z.infer<typeof decision>;
export type QueryDeclaration = z.infer<typeof query>;
export type FieldDeclaration = z.infer<typeof field>;

/** JSON Schema of a pipeline file, for editors. */
export function pipelineJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(pipelineSchema, { target: 'draft-7', io: 'input' });
  return { ...schema, title: 'Treasure Hunt Engine pipeline' };
}
