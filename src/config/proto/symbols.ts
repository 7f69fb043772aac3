/**
 * Every name that the files declare, and protoc's way to find the one that is meant: from the innermost scope outwards, and
 * the first scope that knows the name's first part decides. Used by declare.ts and link.ts.
 */

import { placeText, protoProblem, type Place, type ProtoProblem } from './place.ts';
import type { FileSyntax, Word } from './proto-syntax.ts';
import type { ProtoEnum, ProtoMessage } from './types.ts';

export type SymbolKind =
  'package' | 'message' | 'map entry' | 'enum' | 'field' | 'oneof' | 'enum value' | 'service' | 'method';

export interface ProtoSymbol {
  readonly kind: SymbolKind;
  readonly fullName: string;
  readonly place: Place;
  /** A package may be declared by several. */
  readonly files: Set<FileSyntax>;
  readonly message?: ProtoMessage;
  readonly enum?: ProtoEnum;
}

/** Full name -> what it names. */
export type SymbolTable = Map<string, ProtoSymbol>;

const SCOPES: ReadonlySet<SymbolKind> = new Set(['package', 'message', 'map entry', 'enum', 'service']);
const TYPES: ReadonlySet<SymbolKind> = new Set(['message', 'map entry', 'enum']);

export function joinName(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

/** What a file may see: its own names and those of its imports, and what they import publicly. */
export interface Sight {
  readonly table: SymbolTable;
  /** null: all. */
  readonly files: ReadonlySet<FileSyntax> | null;
}

/** The type that `name` means within `scope` as a field's type; throws where protoc finds none. */
export function resolveType(sight: Sight, name: Word, scope: string): ProtoSymbol {
  return resolve(sight, name, scope, (kind) => TYPES.has(kind));
}

/** The message that `name` means in `extend` or `rpc`, where the nearest thing of that name hides a type further out. */
export function resolveReference(sight: Sight, name: Word, scope: string): ProtoSymbol {
  return resolve(sight, name, scope, () => true);
}

function resolve(sight: Sight, name: Word, scope: string, ends: (kind: SymbolKind) => boolean): ProtoSymbol {
  const found = lookUp(sight, name.text, scope, ends);
  if (typeof found === 'object' && TYPES.has(found.kind)) return found;
  if (typeof found === 'object') throw protoProblem(name.place, `${name.text} is no type (${found.kind})`);
  const hidden = lookUp({ table: sight.table, files: null }, name.text, scope, ends);
  throw notFound(name, typeof hidden === 'object' ? hidden : found);
}

/** A symbol, or the full name that the innermost scope makes of a name and that is not there. */
function lookUp(sight: Sight, name: string, scope: string, ends: (kind: SymbolKind) => boolean): ProtoSymbol | string {
  if (name.startsWith('.')) return seen(sight, name.slice(1)) ?? name.slice(1);
  const first = name.split('.', 1)[0]!;
  for (let outer = scope; outer !== ''; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const symbol = seen(sight, joinName(outer, first));
    if (symbol === undefined) continue;
    if (first === name) {
      if (ends(symbol.kind)) return symbol;
    } else if (SCOPES.has(symbol.kind)) {
      const whole = joinName(outer, name);
      return seen(sight, whole) ?? whole;
    }
  }
  return seen(sight, name) ?? name;
}

function seen(sight: Sight, fullName: string): ProtoSymbol | undefined {
  const symbol = sight.table.get(fullName);
  if (symbol === undefined) return undefined;
  for (const file of symbol.files) if (sight.files === null || sight.files.has(file)) return symbol;
  return undefined;
}

function notFound(name: Word, tried: ProtoSymbol | string): ProtoProblem {
  if (typeof tried === 'object') {
    return protoProblem(name.place, `${name.text} is declared at ${placeText(tried.place)}, which is not imported`);
  }
  if (name.text.replace(/^\./, '') === tried) return protoProblem(name.place, `${name.text} is not declared`);
  return protoProblem(
    name.place,
    `${name.text} means ${tried} here, which is not declared: the innermost scope that knows its first part decides; ` +
      `write .${name.text} to begin at the outermost`,
  );
}
