/**
 * What lies in the data directory of the embedded ClickHouse. Used by the parent and the child.
 *
 *     engine/        the engine's own folder; nothing else writes there
 *     requests/      bodies of inserts, of which the parent writes its own, and a named pipe for each slot of results; made anew by the parent before every start
 *     user-files/    where the engine's file functions look; empty
 *     engine.xml     server configuration, written at every start
 *     process.json   who runs on this folder: see predecessor.ts
 */
import { join } from 'node:path';

export interface Folders {
  readonly engine: string;
  readonly requests: string;
  readonly userFiles: string;
  readonly configuration: string;
  readonly processRecord: string;
}

export function foldersOf(dataDirectory: string): Folders {
  return {
    engine: join(dataDirectory, 'engine'),
    requests: join(dataDirectory, 'requests'),
    userFiles: join(dataDirectory, 'user-files'),
    configuration: join(dataDirectory, 'engine.xml'),
    processRecord: join(dataDirectory, 'process.json'),
  };
}
