/**
 * What an ordinary client's statement may hold, by its words: the wall in front of guard-tree.ts, and the only one for what
 * the engine's syntax tree does not show (APPLY, SHOW, settings, names passed as values). Pure. Child process.
 */
import { denied } from './engine-failure.ts';
import { isKeyword, isName, isSymbol, type SqlToken } from './lexer.ts';
import {
  isClosedFunction,
  isClosedTableFunction,
  isOpenFunction,
  isOpenSetting,
  isOpenTableFunction,
  isOpenTableSetting,
} from './open-names.ts';
import { SYNTAX_WORDS, WORDS_AFTER_NAME } from './names/syntax-names.ts';

/** Settings with a bound of ours (see settings.ts) are for the end of a statement or the URL, where the bound is kept. */
const BOUNDED_SETTINGS = new Set(['max_execution_time', 'max_memory_usage']);
const syntaxWords = new Set(SYNTAX_WORDS);
const wordsAfterName = new Set([...SYNTAX_WORDS, ...WORDS_AFTER_NAME]);

export function guardTokens(tokens: readonly SqlToken[], parameters: ReadonlyMap<string, string>): void {
  // The tree shows neither what APPLY holds nor the WHERE of a SHOW.
  const isBlind = tokens.some((token) => isKeyword(token, 'APPLY')) || isKeyword(tokens[0], 'SHOW');
  for (const [index, token] of tokens.entries()) {
    refuseOdd(token);
    refuseFiles(tokens, index);
    if (!isName(token)) continue;
    if (isSymbol(tokens[index + 1], '(')) refuseCall(token, isBlind, isSymbol(tokens[index - 1], '.'));
    else refuseFunctionAsValue(tokens, index);
    if (token.value.toLowerCase() === 'identifier' && isSymbol(tokens[index + 1], '}')) refuseIdentifiers(parameters);
    if (isKeyword(token, 'SETTINGS') || isKeyword(token, 'SETTING')) refuseSettings(tokens, index + 1);
  }
}

/** What the engine's lexer could read in another way, or what would break a line of the syntax tree. */
export function refuseOdd(token: SqlToken): void {
  if (token.kind === 'odd')
    denied(`character ${JSON.stringify(token.value.slice(0, 8))} outside a string is not understood`);
  if (token.kind !== 'quoted') return;
  if (token.value.includes('\\')) denied('a backslash in a quoted name is not understood');
  if (/\p{Cc}/u.test(token.value)) denied('a control character in a quoted name is not understood');
}

/** Rewriting depends on it too: the front puts its own INTO OUTFILE there. */
function refuseFiles(tokens: readonly SqlToken[], index: number): void {
  const [before, token] = [tokens[index - 1], tokens[index]];
  if (isKeyword(token, 'OUTFILE') && isKeyword(before, 'INTO')) denied('INTO OUTFILE writes files of the server');
  if (isKeyword(token, 'INFILE') && isKeyword(before, 'FROM')) denied('FROM INFILE reads files of the server');
}

function refuseCall({ kind, value }: SqlToken, isBlind: boolean, isQualified: boolean): void {
  // `mine.url (a UInt8)`: a table; a function has no dots in its name.
  if (isQualified && !isBlind) return;
  const isOpen = isOpenFunction(value) || isOpenTableFunction(value);
  if (!isOpen && (isClosedFunction(value) || isClosedTableFunction(value)))
    denied(`function ${value} is not open to user default`);
  // Text with holes or a table of parsed text: only the tree tells them apart.
  if (isBlind && isClosedTableFunction(value))
    denied(`function ${value} is not open to user default in a statement with APPLY or SHOW`);
  if (isBlind && !isOpen && !(kind === 'word' && syntaxWords.has(value.toUpperCase())))
    denied(`function ${value} is not known, and a statement with APPLY or SHOW may call known ones only`);
}

/**
 * `arrayMap(file, ...)`, `APPLY(file)`: a name is a function unless it is a column of a named table (`t.file`) or an alias
 * (`AS file`).
 */
function refuseFunctionAsValue(tokens: readonly SqlToken[], index: number): void {
  const name = tokens[index]?.value ?? '';
  if (!isClosedFunction(name)) return;
  const before = tokens[index - 1];
  if (isSymbol(before, '.') || isKeyword(before, 'AS')) return;
  denied(`name \`${name}\` could be the function; write the column as table.${name}`);
}

/** `{name:Identifier}` puts a parameter's value where a name stands. */
function refuseIdentifiers(parameters: ReadonlyMap<string, string>): void {
  for (const [name, value] of parameters) {
    const parts = value.split('.').map((part) => part.replace(/[`"\s]/g, ''));
    if (parts.some(isClosedFunction)) denied(`parameter ${name} names a function that is not open to user default`);
  }
}

/**
 * SETTINGS of a sub-query take effect in a read-only connection (measured), and some hold SQL or name files: each name in
 * such a list must be open, and each value a plain one.
 */
function refuseSettings(tokens: readonly SqlToken[], start: number): void {
  let at = isSymbol(tokens[start], '(') ? start + 1 : start;
  for (;;) {
    const name = tokens[at];
    if (!isName(name)) return;
    const hasValue = isSymbol(tokens[at + 1], '=');
    // A name alone switches a setting on; after a column called `settings` comes a word of the syntax.
    if (!hasValue && name.kind === 'word' && wordsAfterName.has(name.value.toUpperCase())) return;
    refuseSetting(name.value);
    if (!hasValue) at += 1;
    else at = afterValue(tokens, at + 2, name.value);
    if (!isSymbol(tokens[at], ',')) return;
    at += 1;
  }
}

function refuseSetting(name: string): void {
  const isOpen = (isOpenSetting(name) && !BOUNDED_SETTINGS.has(name)) || isOpenTableSetting(name);
  if (!isOpen) denied(`setting ${name} is not open to user default here`);
}

function afterValue(tokens: readonly SqlToken[], start: number, name: string): number {
  const at = isSymbol(tokens[start], '-') ? start + 1 : start;
  const value = tokens[at];
  const isPlain = value?.kind === 'number' || value?.kind === 'string' || value?.kind === 'word';
  if (!isPlain || isSymbol(tokens[at + 1], '(')) denied(`setting ${name} takes a plain value from user default`);
  return at + 1;
}
