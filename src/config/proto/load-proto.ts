/**
 * Reads a .proto file and its imports. A parser of our own after protoc's rules, since every name must mean to the engine
 * what it means to the programs that write the events; it gives the message's shape only, from which the decoder is
 * compiled. Used by events.ts, when a pipeline is loaded.
 */

import { linkFiles, type FileWithImports } from './link.ts';
import { parseFile } from './parse-file.ts';
import { protoProblem, ProtoProblem, type ProtoFile } from './place.ts';
import type { ImportSyntax } from './proto-syntax.ts';
import type { ProtoMessage } from './types.ts';
import { wellKnownFile } from './well-known.ts';

/** Finds a file as it is named in the pipeline (`importer` null) or in an import of another file; null: not there. */
export type ProtoReader = (name: string, importer: ProtoFile | null) => ProtoFile | null;

export interface LoadedProto {
  /** By full name, those of imports too. */
  readonly messages: ReadonlyMap<string, ProtoMessage>;
  /** In the order in which they were read, without Google's; part of the pipeline's version. */
  readonly files: readonly ProtoFile[];
}

const FILES_MAX = 200;

interface OpenFile extends FileWithImports {
  readonly imports: { file: OpenFile; isPublic: boolean }[];
}

export function loadProto(name: string, read: ProtoReader): LoadedProto {
  const first = read(name, null);
  if (first === null) throw new ProtoProblem([`no such file: ${name}`]);
  const files = new Map<string, OpenFile>();
  const waiting = [openFile(files, first)];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const seen = new Set<string>();
    for (const one of file.syntax.imports) {
      if (seen.has(one.name.text)) throw protoProblem(one.name.place, `${one.name.text} is imported twice`);
      seen.add(one.name.text);
      const found = importedFile(one, file.syntax.file, read);
      const known = files.get(found.path);
      const imported = known ?? openFile(files, found);
      if (known === undefined) waiting.push(imported);
      file.imports.push({ file: imported, isPublic: one.isPublic });
      refuseCircle(imported, file, one);
    }
  }
  const all = [...files.values()];
  const own = all.map(({ syntax }) => syntax.file).filter(({ path }) => wellKnownFile(path) === null);
  return { messages: linkFiles(all), files: own };
}

function openFile(files: Map<string, OpenFile>, file: ProtoFile): OpenFile {
  if (files.size >= FILES_MAX) throw new ProtoProblem([`more than ${FILES_MAX} imported files`]);
  const opened: OpenFile = { syntax: parseFile(file), imports: [] };
  files.set(file.path, opened);
  return opened;
}

function importedFile({ name }: ImportSyntax, importer: ProtoFile, read: ProtoReader): ProtoFile {
  const file = wellKnownFile(name.text) ?? read(name.text, importer);
  if (file === null) throw protoProblem(name.place, `the import ${name.text} is not there`);
  return file;
}

function refuseCircle(from: OpenFile, importer: OpenFile, by: ImportSyntax): void {
  const seen = new Set<OpenFile>();
  const reaches = (file: OpenFile): boolean => {
    if (file === importer) return true;
    if (seen.has(file)) return false;
    seen.add(file);
    return file.imports.some((one) => reaches(one.file));
  };
  if (reaches(from)) throw protoProblem(by.name.place, `${by.name.text} imports this file again, in a circle`);
}
