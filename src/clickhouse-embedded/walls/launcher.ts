/**
 * The first program of the embedded ClickHouse's process: raises the wall around its files and becomes child.js, so that all
 * threads of that one are behind it. Where there is no such wall it runs child.js as it is. Forked by start-clickhouse.ts
 * with the paths of child.js and of the data folder.
 */
import { pathToFileURL } from 'node:url';
import { raiseLandlock } from './landlock.ts';
import { loadNative } from './libc.ts';
import { readableOptions } from './node-options.ts';
import { openFolders } from './open-folders.ts';
import type { Wall } from './report.ts';

/** Standard streams and the channel to the parent. */
const DESCRIPTORS = [0, 1, 2, 3];
/** How Node tells a child of its channel; it has taken it out of the environment by now. */
const CHANNEL = { NODE_CHANNEL_FD: '3', NODE_CHANNEL_SERIALIZATION_MODE: 'json' };

const [program = '', dataDirectory = ''] = process.argv.slice(2);
const native = await loadNative();
let walls: Wall[];
if (typeof native === 'string') {
  walls = (['files', 'processes', 'network', 'programs'] as const).map((name) => ({ name, stands: false, by: native }));
} else {
  walls = raiseLandlock(native, openFolders(program, dataDirectory));
  for (const descriptor of DESCRIPTORS) native.keepDescriptor(descriptor);
  const options = readableOptions(process.env['NODE_OPTIONS'] ?? '', dataDirectory);
  const environment = { ...process.env, ...CHANNEL, NODE_OPTIONS: options, HUNT_WALLS: JSON.stringify(walls) };
  native.become(
    process.execPath,
    [process.execPath, program],
    Object.entries(environment).map(([name, value]) => `${name}=${value}`),
  );
  // Not the same program, but the same walls: they hold for this thread and those that come from it.
  walls = walls.map((wall) => ({
    ...wall,
    stands: false,
    by: `the child could not be started behind it: ${native.error()}`,
  }));
}
process.env['HUNT_WALLS'] = JSON.stringify(walls);
await import(pathToFileURL(program).href);
