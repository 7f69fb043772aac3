/**
 * What is odd about a pipeline and does not stop it, for every command that reads one; to standard error, beside what is
 * printed.
 */

export function writeWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}
