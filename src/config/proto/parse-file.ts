/** Parses one proto3 file, after protoc's grammar. Used by load-proto.ts, when a pipeline is loaded. */

import {
  accept,
  expect,
  isAt,
  next,
  openCursor,
  peekToken,
  placeOf,
  takeName,
  takePath,
  takeText,
  unexpected,
  type Cursor,
} from './cursor.ts';
import { emptyBody, parseBodyStatement } from './parse-message.ts';
import { parseOptionStatement } from './parse-options.ts';
import { protoProblem, type ProtoFile } from './place.ts';
import type { FileSyntax, ImportSyntax, ServiceSyntax, Word } from './proto-syntax.ts';

export function parseFile(file: ProtoFile): FileSyntax {
  const cursor = openCursor(file);
  parseSyntax(cursor);
  const body = emptyBody();
  const imports: ImportSyntax[] = [];
  const services: ServiceSyntax[] = [];
  let packageName: Word | null = null;
  while (peekToken(cursor).kind !== 'end') {
    const start = placeOf(cursor);
    if (parseBodyStatement(cursor, body, 0)) continue;
    if (accept(cursor, 'import')) imports.push(parseImport(cursor));
    else if (accept(cursor, 'service')) services.push(parseService(cursor));
    else if (accept(cursor, 'package')) {
      if (packageName !== null) throw protoProblem(start, 'the file has a package already');
      packageName = takePath(cursor, 'the package’s name', false);
      expect(cursor, ';');
    } else throw unexpected(cursor, 'a message, enum, service, extend, import, package or option');
  }
  return { ...body, file, packageName: packageName ?? { text: '', place: { file, offset: 0 } }, imports, services };
}

function parseSyntax(cursor: Cursor): void {
  const place = placeOf(cursor);
  const refuse = (): Error => protoProblem(place, 'the file must begin with syntax = "proto3";');
  if (!accept(cursor, 'syntax') || !accept(cursor, '=') || peekToken(cursor).kind !== 'string') throw refuse();
  if (takeText(cursor, 'the syntax').text !== 'proto3') throw refuse();
  expect(cursor, ';');
}

/** Behind `import`. */
function parseImport(cursor: Cursor): ImportSyntax {
  const kind = isAt(cursor, 'public') || isAt(cursor, 'weak') ? next(cursor).text : '';
  const name = takeText(cursor, 'the name of a file in quotes');
  expect(cursor, ';');
  return { name, isPublic: kind === 'public' };
}

/** Behind `service`. Its methods are checked and otherwise unused. */
function parseService(cursor: Cursor): ServiceSyntax {
  const service: ServiceSyntax = { name: takeName(cursor, 'the service’s name'), methods: [] };
  expect(cursor, '{');
  while (!accept(cursor, '}')) {
    if (accept(cursor, ';')) continue;
    if (accept(cursor, 'option')) parseOptionStatement(cursor);
    else service.methods.push(parseMethod(cursor));
  }
  return service;
}

function parseMethod(cursor: Cursor): ServiceSyntax['methods'][number] {
  if (!accept(cursor, 'rpc')) throw unexpected(cursor, '"rpc"');
  const name = takeName(cursor, 'the method’s name');
  const input = parseMethodType(cursor);
  if (!accept(cursor, 'returns')) throw unexpected(cursor, '"returns"');
  const output = parseMethodType(cursor);
  if (!accept(cursor, ';')) {
    expect(cursor, '{');
    while (!accept(cursor, '}')) {
      if (accept(cursor, ';')) continue;
      if (!accept(cursor, 'option')) throw unexpected(cursor, '"}"');
      parseOptionStatement(cursor);
    }
  }
  return { name, input, output };
}

function parseMethodType(cursor: Cursor): Word {
  expect(cursor, '(');
  accept(cursor, 'stream');
  const type = takePath(cursor, 'the name of a message', true);
  expect(cursor, ')');
  return type;
}
