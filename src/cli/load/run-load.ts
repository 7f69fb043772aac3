/**
 * One load run from beginning to end: connects, sends by the schedule, waits for answers and for SQL, proves. Called by
 * cli/load.ts.
 */

import { build, type Histogram } from 'hdr-histogram-js';
import { HuntControl, queryTarget, type LedgerLine, type PipelineDescription } from '../../client/index.ts';
import { OperatingError } from '../../errors.ts';
import type { EventSource } from './events/event-source.ts';
import { gameEvents, isExampleGame } from '../../examples/treasure-hunt/load-events.ts';
import { patternEvents } from './events/pattern-events.ts';
import { typedEvents } from './events/typed-events.ts';
import { CourseWatch, STEP_MS } from './course.ts';
import { createFrameMaker } from './frames/frame-maker.ts';
import { eventFields, type EventFields } from './frames/key-fields.ts';
import { RUN_CHARACTERS } from './frames/slot.ts';
import type { LoadOptions } from './load-options.ts';
import { ProcessWatch } from './process-watch.ts';
import { reportOf, type LoadReport } from './load-report.ts';
import { Sender } from './sender.ts';
import { newRows, prove, runColumns, VisibilityProbe, type Run } from './verify.ts';

const CONNECTIONS_MAX = 1296;
const ANSWERS_MS = 120_000;
const SETTLE_MS = 120_000;
/** After an interruption. */
const HASTE_MS = 15_000;

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  checkConnections(options.connections);
  const control = new HuntControl(options);
  const [server, pipeline] = await Promise.all([control.server(), control.pipeline()]);
  const { plan } = pipeline;
  const tag = runTag();
  const fields = eventFields(plan, options.keys);
  const run: Run = {
    tag,
    eventsPerFrame: options.eventsPerFrame,
    connections: options.connections,
    idField: fields.id?.at(-1) ?? null,
    columns: runColumns(plan),
    target: await queryTarget(control, options.clickhouse),
  };
  const begin = await newRows(run);
  // After all requests: it keeps this thread busy for so long that the server hangs up on connections that lie idle.
  const maker = createFrameMaker(plan, fields, await eventSource(pipeline, fields, options), {
    ...options,
    webSocket: options.protocol === 'ws',
  });
  // Microseconds, and milliseconds.
  const latency = histogramTo(600_000_000);
  const visible = histogramTo(3_600_000);
  const sender = new Sender(options, control, { tag, maker, latency });
  await sender.connect();
  const cpuBefore = process.cpuUsage();
  const watch = new ProcessWatch(control, server, options.rssLog);
  const course = new CourseWatch(control, run.target, watch, options.stepMs ?? STEP_MS);
  const probe = new VisibilityProbe(run, begin, sender.streams, (ms) => {
    visible.recordValue(ms);
    course.visible(ms);
  });
  try {
    const interrupted = (): boolean => options.signal?.aborted === true;
    await sender.run((line) => options.progress(`${line}  visible p99 ${visible.getValueAtPercentile(99)} ms`));
    const steps = course.stop();
    await sender.answers(interrupted() ? HASTE_MS : ANSWERS_MS);
    await probe.settle(interrupted() ? HASTE_MS : SETTLE_MS, () => sender.failed);
    const cpu = process.cpuUsage(cpuBefore);
    const figures = watch.stop();
    await probe.stop();
    options.progress('counting in ClickHouse what was answered');
    const proof = await prove(run, sender.streams);
    const ledger = await linesOf(control).catch(() => null);
    return reportOf({
      options,
      plan,
      fields,
      server,
      tag,
      sender,
      probe,
      proof,
      ledger,
      figures,
      steps,
      latency,
      visible,
      loadCpuSeconds: (cpu.user + cpu.system) / 1e6,
    });
  } finally {
    watch.stop();
    course.stop();
    await probe.stop();
    sender.close();
  }
}

function checkConnections(connections: number): void {
  if (connections > CONNECTIONS_MAX)
    throw new OperatingError('bad_option', `too many connections: connections=${connections} max=${CONNECTIONS_MAX}`);
}

/** Unlike that of any other run that is still remembered. */
function runTag(): string {
  return Math.floor(Date.now() / 10)
    .toString(36)
    .slice(-RUN_CHARACTERS);
}

function histogramTo(highestTrackableValue: number): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue, numberOfSignificantValueDigits: 3 });
}

async function eventSource(
  { plan, importMap }: PipelineDescription,
  { required }: EventFields,
  { branches, pattern, progress }: LoadOptions,
): Promise<EventSource> {
  if (pattern !== undefined) return patternEvents({ ...pattern, plan, importMap, note: progress });
  return isExampleGame(plan) ? gameEvents(plan, branches) : typedEvents(plan, { branches, required });
}

async function linesOf(control: HuntControl): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  for await (const line of control.ledgerLines()) lines.push(line);
  return lines;
}
