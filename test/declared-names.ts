/** What the sources export and whom they import, types included: for the rules in tidy.test.ts on names and on circles. */

import { posix } from 'node:path';

const EXPORTED =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:type|interface|class|function\*?|const|let|enum)\s+([\w$]+)/gm;
const IMPORTED = /^(?:import|export)\s[^;]*?from\s+'(\.[^']+)'/gms;

/** Exported name -> the files that declare it. A re-export declares nothing. */
export function declarations(files: readonly string[], read: (file: string) => string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of files) {
    const names = new Set([...read(file).matchAll(EXPORTED)].map((match) => match[1]!));
    for (const name of names) found.set(name, [...(found.get(name) ?? []), file]);
  }
  return found;
}

/** Groups of files that import one another in a circle, by values or by types alone (Tarjan's components); each sorted. */
export function importCircles(files: readonly string[], read: (file: string) => string): string[][] {
  const known = new Set(files);
  const imports = new Map(
    files.map((file) => {
      const targets = [...read(file).matchAll(IMPORTED)].map((match) => posix.join(posix.dirname(file), match[1]!));
      return [file, targets.filter((target) => known.has(target))] as const;
    }),
  );
  const order = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  /** Returns the order of the earliest open file that `file` reaches. */
  const visit = (file: string): number => {
    const own = order.size;
    order.set(file, own);
    open.push(file);
    let earliest = own;
    for (const target of imports.get(file)!) {
      if (!order.has(target)) earliest = Math.min(earliest, visit(target));
      else if (open.includes(target)) earliest = Math.min(earliest, order.get(target)!);
    }
    if (earliest < own) return earliest;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1 || imports.get(file)!.includes(file)) circles.push(circle.sort());
    return earliest;
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return circles;
}
