/**
 * Bodies of inserts that the engine's own user hands over as files in the request folder, instead of sending them through a
 * socket: the parent writes the file, and a request names it in a header. Used by the parent and the child.
 *
 *   INSERT INTO ... FORMAT Native       X-Hunt-Body: handed-17       the file is requests/handed-17
 *
 * A name is nothing but a number of the process that writes it, so that no path comes from outside. Whoever is not the
 * engine's own user hands over nothing: the header then means nothing. The parent removes the file once it has been
 * answered, or has given up; what is left after a crash goes with the folder at the next start.
 */
import { join } from 'node:path';
import { foldersOf } from './folders.ts';

export const HANDED_BODY_HEADER = 'X-Hunt-Body';

const NAME = /^handed-\d{1,15}$/;
let handed = 0;

export interface HandedBody {
  readonly name: string;
  readonly path: string;
}

/** For a new file; `dataDirectory`: of the embedded ClickHouse. */
export function newHandedBody(dataDirectory: string): HandedBody {
  const name = `handed-${++handed}`;
  return { name, path: join(foldersOf(dataDirectory).requests, name) };
}

/** Where the file of this name lies; null where it is no such name. */
export function handedPath(requests: string, name: string): string | null {
  return NAME.test(name) ? join(requests, name) : null;
}
