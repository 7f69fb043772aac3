/** Switches a rule off or on in a pipeline file's text; all else of it stays as it was written, comments included. */

import { isMap, isScalar, isSeq, parseDocument, type Node, type YAMLMap } from 'yaml';
import { OperatingError } from '../errors.ts';

const FLAG = 'disabled';

/** `rule`: its id, or `decision.id` where several decisions have one of that id. */
export function setRuleDisabled(text: string, rule: string, disabled: boolean): string {
  const document = parseDocument(text);
  const found = rulesOf(document.get('decisions')).filter(
    ({ decision, id }) => id === rule || `${decision}.${id}` === rule,
  );
  if (found.length !== 1) {
    const known = rulesOf(document.get('decisions')).map(({ decision, id }) => `${decision}.${id}`);
    throw new OperatingError(
      found.length === 0 ? 'no_such_rule' : 'rule_ambiguous',
      `${found.length === 0 ? 'the pipeline has no such rule' : 'several decisions have such a rule'}: rule=${rule}; rules are ${known.join(', ')}`,
    );
  }
  return withFlag(text, found[0]!.node, disabled);
}

/**
 * Written into the text itself: YAML's own writer would lay out the whole file anew, and switching on again would not bring
 * it back.
 */
function withFlag(text: string, rule: YAMLMap, disabled: boolean): string {
  const { items } = rule;
  const at = items.findIndex(({ key }) => isScalar(key) && key.value === FLAG);
  const known = items[at];
  if (known === undefined) return disabled ? added(text, rule) : text;
  const [start, end] = (known.value as Node).range!;
  if (disabled) return replaced(text, start, end, 'true');
  const next = items[at + 1];
  if (rule.flow === true) {
    if (next !== undefined) return replaced(text, startOf(known.key), startOf(next.key), '');
    return replaced(text, at === 0 ? startOf(known.key) : endOf(items[at - 1]!.value), end, '');
  }
  if (next !== undefined) return replaced(text, startOf(known.key), startOf(next.key), '');
  const lineEnd = text.indexOf('\n', end);
  return replaced(text, text.lastIndexOf('\n', start), lineEnd < 0 ? text.length : lineEnd, '');
}

function added(text: string, { items, flow }: YAMLMap): string {
  const flag = `${FLAG}: true`;
  if (flow === true) return replaced(text, endOf(items.at(-1)!.value), endOf(items.at(-1)!.value), `, ${flag}`);
  const first = startOf(items[0]!.key);
  const indent = ' '.repeat(first - text.lastIndexOf('\n', first) - 1);
  return replaced(text, first, first, `${flag}\n${indent}`);
}

function replaced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

function startOf(node: unknown): number {
  return (node as Node).range![0];
}

/** Of the value itself, without what white space and comments follow. */
function endOf(node: unknown): number {
  return (node as Node).range![1];
}

function rulesOf(decisions: unknown): { decision: string; id: string; node: YAMLMap }[] {
  if (!isMap(decisions)) return [];
  return decisions.items.flatMap(({ key, value }) => {
    const rules = isMap(value) ? value.get('rules') : null;
    if (!isSeq(rules)) return [];
    return rules.items
      .filter(isMap)
      .map((node) => ({ decision: String(key), id: String((node as YAMLMap).get('id')), node: node as YAMLMap }));
  });
}
