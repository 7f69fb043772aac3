/**
 * Runs the benchmarks, each in its tiny size (so that none of them rots) or in full, and prints a line per figure:
 * `npm run bench`, `npm run bench -- --tiny`, `npm run bench -- decode kernel` for some of them.
 */

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Bench } from './bench.ts';

const folders = ['micro', 'load', 'peers'].map((name) => join(import.meta.dirname, name));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const tiny = process.argv.includes('--tiny');
const json = process.argv.includes('--json');

function option(name: string): number | undefined {
  const word = process.argv.find((one) => one.startsWith(`--${name}=`));
  if (word === undefined) return undefined;
  const value = Number(word.slice(name.length + 3));
  if (!(value > 0)) throw new Error(`not a number above 0: ${word}`);
  return value;
}

const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
for (const file of files.filter((path) => path.endsWith('.bench.js')).sort()) {
  if (wanted.length > 0 && !wanted.some((word) => basename(file).includes(word))) continue;
  const { bench } = (await import(file)) as { bench: Bench };
  if (bench.onlyWhenNamed === true && wanted.length === 0 && !tiny) continue;
  const figures = await bench.run({ tiny, option });
  if (!json && bench.text !== undefined) process.stdout.write(`${bench.text(figures)}\n`);
  else
    for (const figure of figures) {
      if (json) process.stdout.write(`${JSON.stringify({ bench: bench.name, ...figure })}\n`);
      else {
        const value = figure.value.toLocaleString('en', { maximumFractionDigits: figure.value < 100 ? 2 : 0 });
        process.stdout.write(
          `${`${bench.name}: ${figure.name}`.padEnd(64)} ${value.padStart(14)} ${figure.unit}   ${JSON.stringify(figure.parameters)} #${figure.checksum}\n`,
        );
      }
    }
}
