/** A hundred deploys and rollbacks in a row under load: nothing is lost, nobody waits long, and memory levels off. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hunt, root, startServer, temporaryFolder, until } from '../e2e/server.ts';

/** HUNT_CHANGES: fewer, for a first look; then the memory is not yet level. */
const ALL = 100;
const CHANGES = Number(process.env['HUNT_CHANGES'] ?? ALL);
const RATE = 20_000;
/** What takes its share of the first changes (compiled code, caches of the allocator) is there by then. */
const LEVEL_FROM = Math.round(CHANGES * 0.4);
const WINDOW = Math.round(CHANGES * 0.2);
const GROWTH_MAX = 1.05;
const PAUSE_MS_MAX = 50;

interface LoadReport {
  readonly answered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly unanswered: number;
  readonly answer_ms: Readonly<Record<string, number>>;
}

/** The example pipeline with features gone, changed and added. */
function writePipelines(folder: string): string[] {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8').replace(
    /\ntests:[\s\S]*$/,
    '\n',
  );
  const points = '    points_5m: { agg: sum, of: event.find.points, window: 5m, hop: 1m }\n';
  expect(text).toContain(points);
  const more = `    digs_10m: { agg: count, where: "event.type == 'dig'", window: 10m, hop: 1m }
    spread: { agg: stddev_pop, of: event.dig.depth, window: 5m, hop: 1m }
    lowest: { agg: min, of: event.dig.depth, window: 10m, hop: 1m }
`;
  return [text.replace(points, ''), text.replace(points, more)].map((changed, i) => {
    const file = join(folder, `pipeline-${i}.yaml`);
    writeFileSync(file, changed);
    return file;
  });
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

test(`${CHANGES} changes under ${RATE} events a second`, async () => {
  const folder = temporaryFolder();
  const server = await startServer({ data: join(folder.path, 'data') });
  const files = writePipelines(folder.path);
  const args = [
    'load',
    '--url',
    server.url,
    '--rate',
    String(RATE),
    '--events-per-frame',
    '10',
    '--duration',
    '1500s',
    '--json',
  ];
  const load = spawn(process.execPath, [join(root, 'dist', 'src', 'main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let report = '';
  let progress = '';
  load.stdout.setEncoding('utf8').on('data', (text: string) => (report += text));
  load.stderr.setEncoding('utf8').on('data', (text: string) => (progress += text));
  const ended = new Promise<number | null>((done) => load.once('close', done));
  try {
    await until(() => progress.length > 0, 'the load runs', 30_000);
    const resident: number[] = [];
    const pauses: number[] = [];
    for (let change = 1; change <= CHANGES; change++) {
      const command = change % 5 === 0 ? ['rollback'] : ['deploy', files[change % 2]!];
      const { code, stdout, stderr } = await hunt([...command, '--url', server.url, '--json']);
      expect(code, `${change}: ${stdout}${stderr}${server.log().slice(-3000)}`).toBe(0);
      const { unchanged, result } = JSON.parse(stdout) as {
        unchanged?: boolean;
        result?: { pauseMs: number; lost: number };
      };
      resident.push(residentBytes(server.pid));
      if (unchanged !== true) {
        pauses.push(result!.pauseMs);
        expect(result!.lost).toBe(0);
      }
      if (change % 10 === 0)
        process.stdout.write(
          `change=${change} resident_mb=${Math.round(resident.at(-1)! / 1e6)} pause_ms_max=${Math.max(...pauses)}\n`,
        );
    }
    load.kill('SIGINT');
    await ended;
    const said = JSON.parse(report) as LoadReport;
    process.stdout.write(`${JSON.stringify(said.answer_ms)} answered=${said.answered}\n`);
    expect(said).toMatchObject({ lost: 0, duplicated: 0, unanswered: 0 });
    expect(Math.max(...pauses)).toBeLessThan(PAUSE_MS_MAX);
    expect(pauses.length).toBeGreaterThan(CHANGES / 2);
    const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
    const [level, end] = [mean(resident.slice(LEVEL_FROM, LEVEL_FROM + WINDOW)), mean(resident.slice(-WINDOW))];
    process.stdout.write(`resident_ratio=${(end / level).toFixed(3)}\n`);
    if (CHANGES >= ALL) expect(end / level).toBeLessThan(GROWTH_MAX);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  } finally {
    load.kill('SIGKILL');
    await server.kill();
    folder.remove();
  }
});
