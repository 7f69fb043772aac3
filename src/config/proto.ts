/**
 * Reads a .proto file and its imports with protobufjs. Only the message's shape is taken from it; the hot path has a
 * decoder of its own, compiled from that shape.
 */

import protobuf from 'protobufjs';

export interface ProtoFile {
  /** Absolute, or whatever names the file to its reader. */
  readonly path: string;
  readonly text: string;
}

/** Finds a file as it is named in the pipeline (`importer` null) or in an import of another file; null: not there. */
export type ProtoReader = (name: string, importer: ProtoFile | null) => ProtoFile | null;

export interface LoadedProto {
  readonly root: protobuf.Root;
  /** In the order in which they were read; part of the pipeline's version. */
  readonly files: readonly ProtoFile[];
}

/** What is wrong with the .proto files, in one line. */
export class ProtoProblem extends Error {}

const FILES_MAX = 200;

export function loadProto(name: string, read: ProtoReader): LoadedProto {
  const root = new protobuf.Root();
  const files: ProtoFile[] = [];
  const seen = new Set<string>();
  const first = read(name, null);
  if (first === null) throw new ProtoProblem(`no such file: ${name}`);
  const waiting = [first];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(file.path)) continue;
    if (seen.size >= FILES_MAX) throw new ProtoProblem(`more than ${FILES_MAX} imported files`);
    seen.add(file.path);
    files.push(file);
    for (const imported of parseFile(root, file)) {
      const next = importOf(root, imported, file, read);
      if (next !== null) waiting.push(next);
    }
  }
  try {
    root.resolveAll();
  } catch (error) {
    throw new ProtoProblem((error as Error).message);
  }
  return { root, files };
}

/** Parses one file into the root and gives the names of its imports. */
function parseFile(root: protobuf.Root, file: ProtoFile): string[] {
  const code = file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
  if (!/^\s*syntax\s*=\s*["']proto3["']\s*;/.test(code)) {
    throw new ProtoProblem(`${file.path} must begin with syntax = "proto3";`);
  }
  try {
    const parsed = protobuf.parse(file.text, root, { keepCase: true, alternateCommentMode: true });
    return [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])];
  } catch (error) {
    throw new ProtoProblem(`${file.path}: ${(error as Error).message}`);
  }
}

/** Google's well-known types come with protobufjs. */
function importOf(root: protobuf.Root, name: string, importer: ProtoFile, read: ProtoReader): ProtoFile | null {
  const known = protobuf.common.get(name);
  if (known !== null && known !== undefined) {
    if (root.lookup(wellKnownName(known)) === null) root.addJSON(known.nested ?? {});
    return null;
  }
  const file = read(name, importer);
  if (file === null) throw new ProtoProblem(`${importer.path} imports ${name}, which is not there`);
  return file;
}

/** One of the types that a well-known file brings, as `google.protobuf.<name>`. */
function wellKnownName(file: protobuf.INamespace): string {
  const google = file.nested?.['google'] as protobuf.INamespace | undefined;
  const types = google?.nested?.['protobuf'] as protobuf.INamespace | undefined;
  return `google.protobuf.${Object.keys(types?.nested ?? {})[0] ?? ''}`;
}

/** Line of a field in the files, as `path:line`, or '' where it cannot be told. */
export function fieldPlace(proto: LoadedProto, name: string, number: number): string {
  const pattern = new RegExp(`\\b${name}\\s*=\\s*${number}\\b`);
  for (const file of proto.files) {
    const line = file.text.split('\n').findIndex((text) => pattern.test(text));
    if (line >= 0) return `${file.path}:${line + 1}`;
  }
  return '';
}

/** Names of all messages, for suggestions. */
export function messageNames(namespace: protobuf.NamespaceBase): string[] {
  return namespace.nestedArray.flatMap((nested) => {
    const own = nested instanceof protobuf.Type ? [nested.fullName.slice(1)] : [];
    return nested instanceof protobuf.Namespace ? [...own, ...messageNames(nested)] : own;
  });
}
