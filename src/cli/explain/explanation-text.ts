/**
 * An explanation for people: what was decided and by which rule, that rule's conditions with their values, then what the
 * other rules lacked, then the event and the features. Used by `hunt explain` and `hunt decide`.
 *
 *   ✓ holds   ✗ does not hold   – absent: something that it needs has no value   · not reached
 */

import type {
  ExplainedCondition,
  ExplainedDecision,
  ExplainedLimit,
  ExplainedRule,
  ExplainedValue,
  Explanation,
  NamedValue,
  StoredExplanation,
} from '../../contract/explanation.ts';
import { textGrid } from '../text-table.ts';
import { literalText } from './pipeline-literal.ts';
import { modelText } from './model-text.ts';

export interface TextOptions {
  /** Conditions of rules that were not reached, too. */
  readonly all: boolean;
  /** The way through each tree of a model, too. */
  readonly paths: boolean;
}

/** Longer conditions have their values on the lines below; values wrap there. */
const TEXT_WIDTH_MAX = 48;
const VALUES_WIDTH_MAX = 60;
const INDENT = '  ';

export function explanationText(explanation: Explanation | StoredExplanation, options: TextOptions): string {
  const { decisions, models, notes } = explanation;
  const sections = [
    headText(explanation),
    ...decisions.map((decision) => decisionText(decision, options)),
    ...models.map((model) => modelText(model, options.paths)),
    ...valueSections(explanation),
    ...(notes.length === 0 ? [] : [['note', ...notes.map((note) => `${INDENT}${note}`)].join('\n')]),
  ];
  return sections.join('\n\n');
}

function headText(explanation: Explanation | StoredExplanation): string {
  const { eventId, type, effectiveTime, eventTime, receivedAt, pipeline, overflow } = explanation;
  const title = [valueText(eventId), type, ...('stored' in explanation ? [] : ['dry run: nothing was recorded'])];
  const lines = [title.filter((word) => word !== '').join('   ')];
  const times = [['happened', timeText(eventTime)]];
  if (effectiveTime !== eventTime) times.push(['counted as', timeText(effectiveTime)]);
  times.push(['received', timeText(receivedAt)]);
  times.push(['decided by', `${pipeline.name} ${pipeline.version} (${pipeline.number})`]);
  if ('stored' in explanation) times.push(['stored', placeText(explanation)]);
  if (overflow) times.push(['overflow', 'a feature was too large to be told exactly, and is absent']);
  return [...lines, ...times.map(([name, text]) => `${INDENT}${name!.padEnd(12)}${text}`)].join('\n');
}

function placeText({ stored }: StoredExplanation): string {
  const { batch, row, epoch, producer, frameSeq, frameIndex, found } = stored;
  const frame =
    producer === '' ? '' : `, producer ${producer} frame ${valueText(frameSeq)} event ${valueText(frameIndex)}`;
  const others = found > 1 ? `; the newest of ${found} events with this id` : '';
  return `batch ${batch} row ${row}, epoch ${epoch}${frame}${others}`;
}

function decisionText(decision: ExplainedDecision, options: TextOptions): string {
  const { where, rules } = decision;
  if (!decision.asked) {
    const head = `${decision.decision}   not asked`;
    return where === null ? head : [head, ...conditionLines(where, 1, widthOf([where], 1))].join('\n');
  }
  const by = decision.rule === 'default' ? 'no rule decided' : `rule ${decision.rule}`;
  const shown = rules.filter(({ reached }) => reached || options.all);
  const width = widthOf(
    shown.map(({ condition }) => condition),
    2,
  );
  // What decided comes first; then why those before it did not.
  const ordered = [...rules.filter(({ decided }) => decided), ...rules.filter(({ decided }) => !decided)];
  const names = Math.max(...rules.map(({ rule }) => rule.length));
  return [
    `${decision.decision} → ${decision.action}   ${by}`,
    ...ordered.flatMap((rule) => ruleLines(rule, names, width, options)),
  ].join('\n');
}

function ruleLines(rule: ExplainedRule, names: number, width: number, options: TextOptions): string[] {
  const { condition, limit, reached } = rule;
  const said = [
    rule.disabled === true ? 'switched off' : '',
    rule.decided ? `→ ${rule.then}` : '',
    reached ? '' : 'not reached',
    limit === undefined ? '' : limitText(limit),
  ];
  const head = `${INDENT}${reached ? mark(rule.holds) : '·'} ${rule.rule.padEnd(names)}  ${said.filter((text) => text !== '').join(', ')}`;
  const shows = rule.disabled !== true && (reached || options.all);
  return [head.trimEnd(), ...(shows ? conditionLines(condition, 3, width) : [])];
}

function limitText({ count, perMs, entity, outcome }: ExplainedLimit): string {
  const limit = `at most ${count} per ${entity} in ${durationText(perMs)}`;
  if (outcome === 'taken') return `${limit}: taken`;
  return outcome === 'used_up' ? `${limit}: used up, so it fell to the next rule` : limit;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

function durationText(milliseconds: number): string {
  for (const [unit, size] of UNITS) if (milliseconds % size === 0) return `${milliseconds / size} ${unit}`;
  return `${milliseconds} ms`;
}

/** A chain of && at the top needs no line of its own: its parts are the rule's conditions. */
function conditionLines(condition: ExplainedCondition, depth: number, width: number): string[] {
  const isChain = condition.kind === 'and' && depth === 3;
  if (isChain) return condition.conditions.flatMap((part) => partLines(part, depth, width));
  return partLines(condition, depth, width);
}

function partLines(condition: ExplainedCondition, depth: number, width: number): string[] {
  const { holds, kind, conditions } = condition;
  const indent = INDENT.repeat(depth);
  if (kind === 'test') return testLines(condition, indent, width - indent.length);
  const words = { and: 'all of', or: 'one of', not: 'not', conditional: 'if, then, else' };
  return [`${indent}${mark(holds)} ${words[kind]}`, ...conditions.flatMap((part) => partLines(part, depth + 1, width))];
}

function testLines(condition: ExplainedCondition, indent: string, width: number): string[] {
  const { text, holds } = condition;
  const head = `${indent}${mark(holds)} `;
  const [first = '', ...rest] = wrapped(shownValues(condition));
  const isLong = text.length > TEXT_WIDTH_MAX;
  const below = `${indent}    `;
  if (isLong)
    return [`${head}${text}`, ...[first, ...rest].flatMap((line) => (line === '' ? [] : [`${below}${line}`]))];
  const margin = `${indent}${' '.repeat(width + 4)}`;
  return [`${head}${text.padEnd(width)}  ${first}`.trimEnd(), ...rest.map((line) => `${margin}${line}`)];
}

/** What is compared first, then the names that it is made of. A flag on its own says all with its mark. */
function shownValues({ text, values }: ExplainedCondition): string[] {
  const told = values.filter((value) => value.text !== text || typeof value.value !== 'boolean');
  const isName = (value: NamedValue): boolean => /^[\w.]+$/.test(value.text);
  const compared = told.find((value) => !isName(value) && text.startsWith(value.text));
  const names = told.filter(isName).map((value) => `${value.text} = ${literalText(value.value)}`);
  return compared === undefined ? names : [`= ${literalText(compared.value)}`, ...names];
}

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 3 <= VALUES_WIDTH_MAX)
      lines[lines.length - 1] = `${last}   ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Of the conditions that have their values beside them, indents included. */
function widthOf(conditions: readonly ExplainedCondition[], depth: number): number {
  const widths = conditions.flatMap(({ kind, text, conditions: parts }): number[] => {
    if (kind !== 'test') return [widthOf(parts, depth + 1)];
    return text.length > TEXT_WIDTH_MAX ? [] : [2 * depth + text.length];
  });
  return Math.max(0, ...widths);
}

function valueSections({ event, entities, features, derived, experiments }: Explanation): string[] {
  const section = (title: string, values: readonly (readonly [string, ExplainedValue])[]): string[] =>
    values.length === 0
      ? []
      : [[title, ...textGrid(values.map(([name, value]) => [name, literalText(value)]))].join('\n')];
  const all = Object.entries(features);
  return [
    ...section(
      'event',
      Object.entries(event).map(([name, value]) => [name.replace(/^event\./, ''), value]),
    ),
    ...entities.flatMap(({ entity, key, seq }) => {
      if (key === null) return [`${entity}   the event names none`];
      const name = key.map(({ value }) => valueText(value)).join(', ');
      const title = `${entity} ${name}   ${seq === null ? 'there was no room for it' : `event ${valueText(seq)} of its life`}`;
      const own = all.filter(([feature]) => feature.startsWith(`${entity}.`));
      const values = own.map(([feature, value]): [string, ExplainedValue] => [feature.slice(entity.length + 1), value]);
      return values.length === 0 ? [title] : section(title, values);
    }),
    ...section(
      'derived',
      derived.map(({ name, value }) => [name.replace(/^derived\./, ''), value]),
    ),
    ...section('experiments', Object.entries(experiments)),
  ];
}

function mark(holds: boolean | null): string {
  return holds === null ? '–' : holds ? '✓' : '✗';
}

function valueText(value: ExplainedValue): string {
  return typeof value === 'string' ? value : literalText(value);
}

/** As people write a time; all are UTC. */
function timeText(value: ExplainedValue): string {
  return valueText(value).replace('T', ' ').replace('Z', ' UTC');
}
