/**
 * The highest rate that stays level with merges, found by bisection with shorter runs, each against a fresh server; then the long
 * run at it. `npm run bench -- long-run [--minutes=60] [--probe-minutes=5] [--from=50000] [--to=600000] [--events-per-frame=500]`.
 */

import { runLoad, type LoadReport } from '../../src/cli/load.ts';
import { courseLines } from '../../src/cli/load/course-text.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { removeFolder, temporaryFolder } from './children.ts';
import { LOAD, startServer } from './server.ts';

interface Terms {
  readonly minutes: number;
  readonly probeMinutes: number;
  readonly from: number;
  readonly to: number;
  readonly eventsPerFrame: number;
}

const DEFAULTS: Terms = { minutes: 60, probeMinutes: 5, from: 50_000, to: 600_000, eventsPerFrame: 500 };
const TINY: Terms = { minutes: 0.1, probeMinutes: 0.1, from: 2000, to: 4000, eventsPerFrame: 100 };
const MINUTE_MS = 60_000;
/** As many as the verdict has sixths, or a minute each where the run has more of them. */
const STEPS_MIN = 6;
/** The bisection ends here: verdicts of short runs are no finer. */
const NEAR_ENOUGH = 1.1;
const PROBES_MAX = 6;

export const bench: Bench = {
  name: 'long-run',
  onlyWhenNamed: true,
  async run({ tiny, option }) {
    const terms = tiny
      ? TINY
      : {
          minutes: option('minutes') ?? DEFAULTS.minutes,
          probeMinutes: option('probe-minutes') ?? DEFAULTS.probeMinutes,
          from: option('from') ?? DEFAULTS.from,
          to: option('to') ?? DEFAULTS.to,
          eventsPerFrame: option('events-per-frame') ?? DEFAULTS.eventsPerFrame,
        };
    const rate = await highestLevelRate(terms);
    return figuresOf(await runAt(rate, terms.minutes, terms), terms);
  },
};

/** The least rate where none was level: its long run then says by what. */
async function highestLevelRate(terms: Terms): Promise<number> {
  let [level, over] = [terms.from, terms.to];
  for (let probe = 0; probe < PROBES_MAX && over / level > NEAR_ENOUGH; probe++) {
    // The first probe asks for the highest: bisection needs something that is not level above.
    const rate = probe === 0 ? over : Math.round(Math.sqrt(level * over));
    const { level: verdict } = await runAt(rate, terms.probeMinutes, terms);
    if (verdict?.is_level !== true) over = rate;
    else if (rate === over) return rate;
    else level = rate;
  }
  return level;
}

async function runAt(rate: number, minutes: number, { eventsPerFrame }: Terms): Promise<LoadReport> {
  const folder = temporaryFolder('long-run');
  const server = await startServer(folder);
  const durationMs = minutes * MINUTE_MS;
  const stepMs = Math.min(MINUTE_MS, Math.floor(durationMs / (STEPS_MIN + 0.5)));
  try {
    const report = await runLoad({ ...LOAD, url: server.url, rate, eventsPerFrame, durationMs, stepMs });
    const lines = courseLines(report.minutes, report.level);
    process.stderr.write(`${rate} events/s for ${minutes} minutes:\n${lines.map((line) => `  ${line}\n`).join('')}`);
    if (report.lost + report.duplicated > 0) throw new Error(`lost or doubled: ${JSON.stringify(report)}`);
    return report;
  } finally {
    await server.kill();
    removeFolder(folder);
  }
}

function figuresOf(report: LoadReport, terms: Terms): BenchFigure[] {
  const { level, rate } = report;
  const wrong = level?.criteria.flatMap(({ name, holds }) => (holds ? [] : [name])) ?? [];
  const verdict = level === null ? 'too short to say' : level.is_level ? 'level' : `not level: ${wrong.join(', ')}`;
  const figure = (name: string, unit: string, value: number): BenchFigure => ({
    name,
    unit,
    value,
    checksum: String(report.stored),
    parameters: { ...terms, rate, verdict },
  });
  const cpu = level?.cpu_seconds_per_million;
  const perMillion = 'CPU s per M events';
  const criteria = level?.criteria ?? [];
  return [
    figure('rate', 'events/s', Number(rate)),
    figure('into ClickHouse', 'events/s', report.events_per_second),
    ...(cpu == null
      ? []
      : [
          figure('server and ClickHouse, merges included', perMillion, cpu.total),
          figure('server', perMillion, cpu.server),
          figure('ClickHouse', perMillion, cpu.clickhouse),
        ]),
    figure('merges wrote each row again', 'times', level?.merged_rows_per_stored ?? 0),
    ...criteria.flatMap(({ name, early, late }) =>
      early === null || late === null || early === 0 ? [] : [figure(`${name}, late over early`, 'ratio', late / early)],
    ),
    figure('answer p99', 'ms', report.answer_ms.p99),
  ];
}
