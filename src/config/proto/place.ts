/**
 * Where something stands in a .proto file, and what is wrong there. Used by the reading of .proto files and by
 * flatten-message.ts.
 */

export interface ProtoFile {
  /** Absolute, or whatever names the file to its reader. */
  readonly path: string;
  readonly text: string;
}

export interface Place {
  readonly file: ProtoFile;
  readonly offset: number;
}

/** `path:line:column`, columns in UTF-16 units as editors count them. */
export function placeText({ file, offset }: Place): string {
  const before = file.text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return `${file.path}:${before.split('\n').length}:${offset - lineStart + 1}`;
}

/** What is wrong with the .proto files, each in one line that begins with its place. */
export class ProtoProblem extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

export function protoProblem(place: Place, message: string): ProtoProblem {
  return new ProtoProblem([`${placeText(place)} ${message}`]);
}
