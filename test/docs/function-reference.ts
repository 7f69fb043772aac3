/**
 * The reference of operators and functions as docs/expressions.md has it, made from their own files. Used by
 * function-reference.test.ts.
 */

import { FUNCTIONS, WRITTEN_FORMS } from '../../native-free-core/language/functions/index.ts';
import type { Repeats, WrittenForm } from '../../native-free-core/language/functions/function.ts';

export const BEGIN = '<!-- functions: begin -->';
export const END = '<!-- functions: end -->';

const REPEATED: Readonly<Record<Repeats, string>> = {
  exact: 'yes',
  inexact: 'no',
  zoned: 'in UTC',
  list: 'no: the list is replaced',
};

export function functionReference(): string {
  const operators = WRITTEN_FORMS.filter(({ form }) => form === 'operator');
  const others = WRITTEN_FORMS.filter(({ form }) => form !== 'operator');
  return [BEGIN, '', ...table('operator', operators), '', ...table('function', others), '', END].join('\n');
}

function table(title: string, forms: readonly WrittenForm[]): string[] {
  const rows = forms.map((form) => {
    const { syntax, meaning, example } = form.documentation;
    const [expression, value] = example;
    const shown = value === null ? code(expression) : `${code(expression)} is ${code(value)}`;
    return `| ${code(syntax)} | ${meaning.replaceAll('|', '\\|')} | ${shown} | ${REPEATED[repeatsOf(form)]} |`;
  });
  return [`| ${title} | value | example | repeated by SQL |`, '| --- | --- | --- | --- |', ...rows];
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** A constant that the checker makes has no operation. */
function repeatsOf(form: WrittenForm): Repeats {
  return Object.values(FUNCTIONS).find(({ written }) => written.includes(form))?.repeats ?? 'exact';
}
