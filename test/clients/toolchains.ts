/**
 * Drivers of ClickHouse as their own registries carry them, built once into node_modules/.cache. A toolchain that is not
 * there skips its driver and says so; with CI=true its absence fails.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { root } from '../e2e/server.ts';

export const JDBC_VERSION = '0.9.4';
const SLF4J_VERSION = '2.0.17';
export const CONNECT_VERSION = '1.12.0';

const cache = join(root, 'node_modules', '.cache', 'hunt-clients');

export function describeClient(name: string, tools: readonly string[], tests: () => void): void {
  const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length > 0 && process.env['CI'] === 'true')
    throw new Error(`${name} cannot be tested: missing=${missing.join(', ')}; with CI=true they must be there`);
  const title = missing.length === 0 ? name : `${name}: skipped, this machine has no ${missing.join(', ')}`;
  describe.skipIf(missing.length > 0)(title, tests);
}

/** The compiled program of clients/go. */
export function goClient(): string {
  mkdirSync(cache, { recursive: true });
  const program = join(cache, 'go-client');
  run('go', ['build', '-o', program, '.'], join(root, 'test', 'clients', 'go'));
  return program;
}

/** Arguments of `java` that run clients/java. */
export function javaClient(): string[] {
  const jars = [
    `com.clickhouse:clickhouse-jdbc:${JDBC_VERSION}:jar:all`,
    `org.slf4j:slf4j-api:${SLF4J_VERSION}`,
    `org.slf4j:slf4j-nop:${SLF4J_VERSION}`,
  ];
  const folder = join(cache, 'java');
  mkdirSync(folder, { recursive: true });
  for (const jar of jars)
    run('mvn', ['-q', 'dependency:copy', `-Dartifact=${jar}`, `-DoutputDirectory=${folder}`], folder);
  const classpath = `${join(folder, '*')}:${folder}`;
  run('javac', ['-cp', classpath, '-d', folder, join(root, 'test', 'clients', 'java', 'Client.java')], folder);
  return ['-cp', classpath, 'Client'];
}

/** The interpreter with the driver installed. */
export function pythonClient(): string {
  const folder = join(cache, 'python');
  const python = join(folder, 'bin', 'python');
  mkdirSync(cache, { recursive: true });
  if (!existsSync(python)) run('python3', ['-m', 'venv', folder], cache);
  run(python, ['-m', 'pip', '-q', 'install', `clickhouse-connect==${CONNECT_VERSION}`], cache);
  return python;
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Lines of a client's standard output. */
export async function linesOf(command: string, args: readonly string[]): Promise<string[]> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new Error(`a client ended with ${code}: ${stdout}\n${stderr}`);
  return stdout.trim().split('\n');
}
