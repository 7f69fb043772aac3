/**
 * How models came to their scores, for people: inputs with what they add, trees with what they asked. Used by
 * explanation-text.ts.
 */

import type { ExplainedInput, ExplainedModel, ExplainedTree } from '../../contract/explanation.ts';
import { textGrid } from '../text-table.ts';
import { literalText } from './pipeline-literal.ts';

const DIGITS = 4;

/** `paths`: the way through each tree, too. */
export function modelText(model: ExplainedModel, paths: boolean): string {
  const { name, format, file, output, score, margin, inputs, intercept, trees } = model;
  const from = output === 'margin' || margin === null ? '' : ` of margin ${shown(margin)}`;
  const head = `${name} = ${literalText(score)}   ${output}${from}, ${format} ${file}`;
  const start: [string, string][] = intercept === undefined ? [] : [['intercept', shown(intercept)]];
  return [
    head,
    ...start.flatMap((pair) => textGrid([pair])),
    ...textGrid(inputs.map((input) => [input.text, inputText(input)])),
    ...(trees === undefined || !paths ? [] : trees.flatMap(treeLines)),
  ].join('\n');
}

function inputText(input: ExplainedInput): string {
  const { value, number, contribution, paths } = input;
  const taken = typeof value === 'string' ? ` as ${number === null ? 'missing' : number}` : '';
  const adds =
    contribution === undefined ? '' : `, ${contribution === null ? 'no score without it' : signed(contribution)}`;
  const asked = paths === undefined ? '' : `, asked by ${paths} ${paths === 1 ? 'tree' : 'trees'}`;
  return `${literalText(value)}${taken}${adds}${asked}`;
}

function treeLines({ tree, splits, leaf }: ExplainedTree): string[] {
  return [
    `  tree ${tree}   ${signed(leaf)}`,
    ...splits.map(
      ({ text, holds, missing }) => `    ${holds ? '✓' : '✗'} ${text}${missing === true ? '   absent' : ''}`,
    ),
  ];
}

function shown(value: number): string {
  return String(Number(value.toPrecision(DIGITS)));
}

function signed(value: number): string {
  return value < 0 ? `−${shown(-value)}` : `+${shown(value)}`;
}
