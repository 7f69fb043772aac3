/**
 * The text of a SELECT, read as far as quotes and comments go: where its parameters stand, and what cannot be one statement.
 * Used by queries.ts. ClickHouse parses the rest.
 */

export interface Placeholder {
  readonly name: string;
  readonly type: string;
  /** Of its brace within the text. */
  readonly at: number;
}

export interface ScannedStatement {
  readonly placeholders: readonly Placeholder[];
  /** The first thing that is wrong; null: nothing that shows here. */
  readonly complaint: { readonly at: number; readonly message: string } | null;
}

/** Quotes with what ends them, comments, braces, words, and what else matters. */
const TOKENS =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|\/\*[\s\S]*?\*\/|\{([^{}]*)\}|[A-Za-z_]\w*|['"`{};]|\/\*/g;

export function scanStatement(text: string): ScannedStatement {
  const placeholders: Placeholder[] = [];
  const said: { readonly word: string; readonly at: number }[] = [];
  let complaint: ScannedStatement['complaint'] = null;
  const complain = (at: number, message: string): void => void (complaint ??= { at, message });
  for (const match of text.matchAll(TOKENS)) {
    const [token, braced] = match;
    const at = match.index;
    if (braced !== undefined && braced.includes(':')) {
      const colon = braced.indexOf(':');
      placeholders.push({ name: braced.slice(0, colon).trim(), type: braced.slice(colon + 1).trim(), at });
    } else if (token === ';') {
      if (text.slice(at + 1).trim() !== '') complain(at, 'one statement only: nothing may follow the semicolon');
      else complain(at, 'leave the semicolon out');
    } else if (braced !== undefined || token === '{' || token === '}')
      complain(at, 'a parameter is written {name:Type}');
    else if (token.length === 1 && /['"`]/.test(token)) complain(at, `the quote ${token} is not closed`);
    else if (token === '/*') complain(at, 'the comment is not closed');
    else if (/^[A-Za-z_]/.test(token)) said.push({ word: token.toUpperCase(), at });
  }
  // How the answer is written, and where to, is for the caller and the server to say.
  for (const [i, { word, at }] of said.entries()) {
    const next = said[i + 1]?.word;
    if (word === 'INTO' && next === 'OUTFILE') complain(at, 'leave INTO OUTFILE out: the answer is the caller’s');
    const isLast = i === said.length - 2 && next !== 'ASC' && next !== 'DESC';
    if (word === 'FORMAT' && isLast) complain(at, 'leave FORMAT out: the caller says how the answer is written');
  }
  const first = said[0]?.word;
  if (first !== 'SELECT' && first !== 'WITH') complain(0, 'a query begins with SELECT or WITH');
  return { placeholders, complaint };
}
