/**
 * Leaves out what this machine can never load: uWebSockets.js comes with a binary for each platform and version of Node, 257 MB together, of which
 * one is used. Those of this platform stay, for every version. Run by npm in a clone (`prepare`) and by the Dockerfile.
 */
import { existsSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'node_modules', 'uWebSockets.js');
const BINARY = /^uws_[a-z0-9]+_[a-z0-9]+_\d+\.node$/;
const ours = `uws_${process.platform}_${process.arch}_`;

const names = existsSync(folder) ? readdirSync(folder).filter((name) => BINARY.test(name)) : [];
const others = names.filter((name) => !name.startsWith(ours));
// Where there is none for this platform, the package is another than the one that this was written for: left as it is.
if (others.length > 0 && others.length < names.length) {
  const bytes = others.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  for (const name of others) unlinkSync(join(folder, name));
  process.stdout.write(`left out: ${others.length} binaries of other platforms, ${Math.round(bytes / 1e6)} MB\n`);
}
