/** Switches a rule off or on in a pipeline file's text; all else of it stays as it was written, comments included. */

import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { OperatingError } from '../errors.ts';

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
  const { node } = found[0]!;
  if (disabled) node.set('disabled', true);
  else node.delete('disabled');
  return document.toString({ lineWidth: 0 });
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
