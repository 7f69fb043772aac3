/**
 * What people write who come from SQL, Python or a spreadsheet, and how the expression language has it. Asked only where a
 * text is no expression, so a hint can never be about a right one. Used by cel-syntax.ts.
 */

interface Habit {
  /** Where it stands in the text without its literals. */
  readonly pattern: RegExp;
  readonly hint: string;
}

/** The first that fits is told: the more special ones come first. */
const HABITS: readonly Habit[] = [
  { pattern: /<>/, hint: 'unequal is !=' },
  { pattern: /[!=]==/, hint: 'compare with == and !=' },
  { pattern: /\bis\s+not\s+null\b/i, hint: 'whether a value is there is has(event.field)' },
  { pattern: /\bis\s+null\b/i, hint: 'whether a value is absent is !has(event.field)' },
  { pattern: /\bbetween\b/i, hint: 'write x >= 1 && x <= 2 for between' },
  { pattern: /\bnot\s+in\b/i, hint: 'write !(x in [1, 2]) for not in' },
  { pattern: /\bin\s*\(/i, hint: 'a list stands in brackets: x in [1, 2]' },
  { pattern: /\bi?like\b/i, hint: "write x.contains('a'), x.startsWith('a') or x.matches('a.*') for like" },
  { pattern: /\bif\b|\bthen\b|\belse\b/i, hint: 'write condition ? a : b for if' },
  { pattern: /\bcase\b|\bwhen\b/i, hint: 'write condition ? a : b for case' },
  { pattern: /\|\|?\s*$|&&?\s*$/, hint: 'something is missing behind the last operator' },
  { pattern: /(?<![<>=!])=(?!=)/, hint: 'equality is ==' },
  { pattern: /\band\b/i, hint: 'write && for and' },
  { pattern: /\bor\b/i, hint: 'write || for or' },
  { pattern: /\bnot\b/i, hint: 'write ! for not' },
  { pattern: /(?<!&)&(?!&)/, hint: 'write && for and' },
  { pattern: /(?<!\|)\|(?!\|)/, hint: 'write || for or' },
  { pattern: /\*\*|\^/, hint: 'write pow(x, y) for a power' },
  { pattern: /;/, hint: 'an expression ends without a semicolon' },
  { pattern: /[“”‘’]/, hint: 'texts stand in plain quotes, \'a\' or "a"' },
];

export interface Hint {
  readonly at: number;
  readonly text: string;
}

/** null: nothing of the kind is in it. */
export function hintFor(expression: string): Hint | null {
  const bare = withoutTexts(expression);
  for (const { pattern, hint } of HABITS) {
    const found = pattern.exec(bare);
    if (found !== null) return { at: found.index, text: hint };
  }
  const quotes = bare.search(/['"]/);
  return quotes < 0 ? null : { at: quotes, text: 'Unterminated string: the text that begins here does not end' };
}

/** Texts in quotes become blanks of the same length, so that places stay and their words do not count. */
function withoutTexts(expression: string): string {
  return expression.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs, (text) => ' '.repeat(text.length));
}
