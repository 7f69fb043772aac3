/**
 * What of NODE_OPTIONS goes with the engine's program: files that are to be loaded first (an agent of an operator's, a
 * test's hook) stay behind the wall around its files and would end it before it began; those in its own folder are read.
 * Called by launcher.ts.
 */
import { fileURLToPath } from 'node:url';

const PRELOAD = /^(?:--require|-r|--import|--loader|--experimental-loader)(?:=(.*))?$/;

export function readableOptions(text: string, dataDirectory: string): string {
  const kept: string[] = [];
  const words = text.split(' ').filter((word) => word !== '');
  for (let i = 0; i < words.length; i++) {
    const preload = PRELOAD.exec(words[i]!);
    if (preload === null) {
      kept.push(words[i]!);
      continue;
    }
    const isApart = preload[1] === undefined;
    const file = preload[1] ?? words[i + 1] ?? '';
    if (isReadable(file, dataDirectory)) kept.push(words[i]!, ...(isApart ? [file] : []));
    if (isApart) i++;
  }
  return kept.join(' ');
}

function isReadable(file: string, dataDirectory: string): boolean {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  return path.startsWith(`${dataDirectory}/`);
}
