/**
 * Plain objects as tables of names that come from outside. `table[name]` finds what every object inherits (`constructor`,
 * `__proto__`), and assigning to `__proto__` sets no entry: outside text goes through here, or into a Map. Held by
 * test/tidy.test.ts; used by all threads.
 */

/** The table's own entry, or undefined. */
export function lookup<T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Makes an entry of the table's own under any name. */
export function enter<T>(table: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') table[name] = value;
  else Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
}
