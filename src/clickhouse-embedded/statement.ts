/**
 * Takes a statement apart just far enough to run it behind HTTP: what kind it is, where an insert's data begins, where the
 * FORMAT stands and which settings hang at its end. The engine's own parser has the last word on everything else. Child
 * process.
 */
import { EngineFailure } from './engine-failure.ts';
import { isKeyword, isName, isSymbol, nextToken, stringValue, tokensOf, type SqlToken } from './lexer.ts';

/** Rows come out (`read`), data goes in (`insert`), or neither is streamed (`command`). */
export type Statement = ReadStatement | InsertStatement | CommandStatement;

export interface ReadStatement {
  readonly kind: 'read';
  /** Without FORMAT, trailing SETTINGS and semicolon. */
  readonly text: string;
  readonly format: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  readonly tokens: readonly SqlToken[];
}

export interface InsertStatement {
  readonly kind: 'insert';
  /** `INSERT INTO name (columns)` as written: the part before SETTINGS, VALUES or FORMAT. */
  readonly head: string;
  readonly target: InsertTarget;
  readonly format: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Index in the given text where inline data begins. */
  readonly dataStart: number;
}

export interface CommandStatement {
  readonly kind: 'command';
  readonly text: string;
  readonly tokens: readonly SqlToken[];
  /** Present for `INSERT ... SELECT`. */
  readonly target: InsertTarget | undefined;
}

export interface InsertTarget {
  readonly database: string | undefined;
  readonly table: string;
  readonly isFunction: boolean;
  readonly hasPlaceholder: boolean;
}

const READ_KEYWORDS = new Set(['SELECT', 'WITH', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN']);

/** The whole statement in `text`; for an insert with data, everything from `dataStart` on is data. */
export function parseStatement(text: string): Statement {
  const first = nextToken(text, 0);
  if (first.kind === 'end') throw new EngineFailure(62, 'SYNTAX_ERROR', 'Syntax error: Empty query');
  if (isKeyword(first, 'INSERT')) return parseInsert(text, first);
  const tokens = singleStatement(tokensOf(text));
  const lastEnd = tokens.at(-1)?.end ?? 0;
  if (first.kind === 'word' ? READ_KEYWORDS.has(first.value.toUpperCase()) : isSymbol(first, '(')) {
    return parseRead(text, tokens);
  }
  return { kind: 'command', text: text.slice(0, lastEnd), tokens, target: undefined };
}

/** The insert at the beginning of the text, if it shows already where its data begins. */
export function insertWithData(text: string): InsertStatement | undefined {
  const first = nextToken(text, 0);
  if (!isKeyword(first, 'INSERT')) return undefined;
  try {
    const statement = parseInsert(text, first);
    return statement.kind === 'insert' ? statement : undefined;
  } catch {
    return undefined;
  }
}

function parseRead(text: string, tokens: readonly SqlToken[]): ReadStatement {
  let end = tokens.length;
  let settings: ReadonlyMap<string, string> = new Map();
  let format: string | undefined;
  // FORMAT and SETTINGS may stand in either order; each is looked for twice from the end.
  for (let round = 0; round < 2; round++) {
    const clause = trailingSettings(tokens, end);
    if (clause !== undefined) {
      settings = new Map([...clause.settings, ...settings]);
      end = clause.start;
    }
    if (format === undefined && end >= 3 && isKeyword(tokens[end - 2], 'FORMAT') && isName(tokens[end - 1])) {
      format = tokens[end - 1]?.value;
      end -= 2;
    }
  }
  const kept = tokens.slice(0, end);
  return { kind: 'read', text: text.slice(0, kept.at(-1)?.end ?? 0), format, settings, tokens: kept };
}

function parseInsert(text: string, first: SqlToken): InsertStatement | CommandStatement {
  const settings = new Map<string, string>();
  let previous = first;
  let token = nextToken(text, first.end);
  if (isKeyword(token, 'INTO')) [previous, token] = [token, nextToken(text, token.end)];
  let isFunction = false;
  if (isKeyword(token, 'TABLE')) [previous, token] = [token, nextToken(text, token.end)];
  if (isKeyword(token, 'FUNCTION')) {
    isFunction = true;
    [previous, token] = [token, nextToken(text, token.end)];
  }
  const names: string[] = [];
  let headEnd: number | undefined;
  let hasPlaceholder = false;
  for (let depth = 0, inName = true; token.kind !== 'end'; previous = token, token = nextToken(text, token.end)) {
    if (isSymbol(token, '(') || isSymbol(token, '{')) {
      // `INSERT INTO t (SELECT ...)` has no column list.
      if (depth === 0 && isKeyword(nextToken(text, token.end), 'SELECT'))
        return insertSelect(text, names, isFunction, hasPlaceholder);
      hasPlaceholder ||= inName && isSymbol(token, '{');
      inName &&= isSymbol(token, '{');
      depth += 1;
    } else if (isSymbol(token, ')') || isSymbol(token, '}')) {
      depth -= 1;
    } else if (isSymbol(token, ';') && depth === 0) {
      break;
    } else if (depth === 0 && token.kind === 'word' && !isSymbol(previous, '.') && names.length > 0) {
      const keyword = token.value.toUpperCase();
      if (keyword === 'SELECT' || keyword === 'WITH' || keyword === 'WATCH' || keyword === 'FROM') {
        return insertSelect(text, names, isFunction, hasPlaceholder);
      }
      inName = false;
      headEnd ??= previous.end;
      if (keyword === 'SETTINGS') {
        token = readSettings(text, token, settings);
        continue;
      }
      const format = keyword === 'VALUES' ? 'Values' : keyword === 'FORMAT' ? nextToken(text, token.end) : undefined;
      if (format === undefined)
        throw new EngineFailure(
          62,
          'SYNTAX_ERROR',
          `Syntax error: failed at position ${token.start + 1} (${token.value}): expected VALUES, FORMAT, SETTINGS or SELECT`,
        );
      const formatName = typeof format === 'string' ? format : format.value;
      const afterFormat = typeof format === 'string' ? token.end : format.end;
      const target = targetOf(names, isFunction, hasPlaceholder);
      return {
        kind: 'insert',
        head: text.slice(0, headEnd),
        target,
        format: formatName,
        settings,
        dataStart: afterBlank(text, afterFormat),
      };
    } else if (depth === 0 && inName && isName(token)) {
      names.push(token.value);
    } else if (depth > 0 && inName && hasPlaceholder && isSymbol(previous, '{')) {
      names.push(token.value);
    }
  }
  throw new EngineFailure(62, 'SYNTAX_ERROR', 'Syntax error: INSERT has neither VALUES nor FORMAT nor SELECT');
}

function insertSelect(
  text: string,
  names: readonly string[],
  isFunction: boolean,
  hasPlaceholder: boolean,
): CommandStatement {
  const tokens = singleStatement(tokensOf(text));
  const target = targetOf(names, isFunction, hasPlaceholder);
  return { kind: 'command', text: text.slice(0, tokens.at(-1)?.end ?? 0), tokens, target };
}

function targetOf(names: readonly string[], isFunction: boolean, hasPlaceholder: boolean): InsertTarget {
  const database = names.length > 1 ? names[0] : undefined;
  return { database, table: names.at(-1) ?? '', isFunction, hasPlaceholder };
}

/** Reads `a = 1, b = 'x'` after SETTINGS; returns the last token that belongs to it. */
function readSettings(text: string, keyword: SqlToken, into: Map<string, string>): SqlToken {
  let last = keyword;
  for (;;) {
    const name = nextToken(text, last.end);
    const equals = nextToken(text, name.end);
    let value = nextToken(text, equals.end);
    if (!isName(name) || !isSymbol(equals, '='))
      throw new EngineFailure(62, 'SYNTAX_ERROR', 'Syntax error in SETTINGS');
    let sign = '';
    if (isSymbol(value, '-')) [sign, value] = ['-', nextToken(text, value.end)];
    into.set(name.value, sign + settingValue(value));
    last = value;
    const comma = nextToken(text, value.end);
    if (!isSymbol(comma, ',')) return last;
    last = comma;
  }
}

/** Whether such a list stands at the statement's end. */
export function hasTrailingSettings(tokens: readonly SqlToken[]): boolean {
  return trailingSettings(tokens, tokens.length) !== undefined;
}

/** `SETTINGS a = 1, b = 'x'` that ends exactly at `end`, outside parentheses. */
function trailingSettings(
  tokens: readonly SqlToken[],
  end: number,
): { start: number; settings: Map<string, string> } | undefined {
  const settings = new Map<string, string>();
  let at = end;
  for (;;) {
    const value = tokens[at - 1];
    if (value === undefined || !['word', 'string', 'number'].includes(value.kind)) return undefined;
    const sign = isSymbol(tokens[at - 2], '-') ? '-' : '';
    const equals = at - 2 - sign.length;
    const name = tokens[equals - 1];
    if (!isSymbol(tokens[equals], '=') || !isName(name)) return undefined;
    if (!settings.has(name.value)) settings.set(name.value, sign + settingValue(value));
    const before = tokens[equals - 2];
    if (isKeyword(before, 'SETTINGS')) return { start: equals - 2, settings };
    if (!isSymbol(before, ',')) return undefined;
    at = equals - 2;
  }
}

function settingValue(token: SqlToken): string {
  if (token.kind === 'string') return stringValue(token.value);
  if (token.kind === 'word' || token.kind === 'number') return token.value;
  throw new EngineFailure(62, 'SYNTAX_ERROR', `Syntax error in SETTINGS: unexpected ${JSON.stringify(token.value)}`);
}

/** Drops closing semicolons; anything after one is a second statement. */
function singleStatement(tokens: SqlToken[]): SqlToken[] {
  while (isSymbol(tokens.at(-1), ';')) tokens.pop();
  if (tokens.some((token) => isSymbol(token, ';'))) {
    throw new EngineFailure(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed)');
  }
  return tokens;
}

/** Blanks up to and including one line end stand between the format's name and the data. */
function afterBlank(text: string, position: number): number {
  const blank = /[ \t]*(?:\r?\n)?/y;
  blank.lastIndex = position;
  blank.exec(text);
  return blank.lastIndex;
}
