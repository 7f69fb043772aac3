/** What a load run says at its end: one object for programs, a table for people. */

import type { Histogram } from 'hdr-histogram-js';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import type { LedgerLine, Figures } from '../../client/index.ts';
import { isExampleGame } from '../../examples/treasure-hunt/load-events.ts';
import { keyCounts, type EventFields } from './frames/key-fields.ts';
import type { CourseStep } from './course.ts';
import { courseLines } from './course-text.ts';
import { levelOf } from './level.ts';
import type { WatchedFigures } from './process-watch.ts';
import type { Sender } from './sender.ts';
import type { LoadOptions } from './load-options.ts';
import { answeredEvents, PROBE_MS, producerName, type Proof, type VisibilityProbe } from './verify.ts';

export interface LoadFacts {
  readonly options: LoadOptions;
  readonly plan: Plan;
  readonly fields: EventFields;
  readonly server: Figures;
  readonly tag: string;
  readonly sender: Sender;
  readonly probe: VisibilityProbe;
  readonly proof: Proof;
  readonly ledger: readonly LedgerLine[] | null;
  readonly figures: WatchedFigures;
  readonly steps: readonly CourseStep[];
  readonly latency: Histogram;
  readonly visible: Histogram;
  readonly loadCpuSeconds: number;
}

export type LoadReport = ReturnType<typeof reportOf>;

export function reportOf(facts: LoadFacts) {
  const { options, sender, probe, proof, figures, server } = facts;
  const perFrame = options.eventsPerFrame;
  const rejected = sender.sum((stream) => stream.rejectedEvents);
  const answered = answeredEvents(options, sender.streams);
  const seconds = Math.max(0.001, (probe.lastVisibleAt - sender.begunAt) / 1000);
  const sent = sender.sum((stream) => stream.sent) * perFrame;
  return {
    sent,
    answered,
    unanswered: sender.sum((stream) => stream.unanswered) * perFrame,
    unsent: sender.unsent * perFrame,
    rejected,
    rejected_frames: sender.sum((stream) => stream.rejectedFrames),
    stored: proof.stored,
    lost: proof.lost,
    duplicated: proof.stored - proof.distinct,
    // Rows under an id that was not sent at their place.
    strangers: proof.strangers,
    odd_frames: proof.oddFrames,
    retried: sender.sum((stream) => stream.retried) * perFrame,
    resent: sender.sum((stream) => stream.resent) * perFrame,
    reconnects: sender.sum((stream) => stream.reconnects),
    interrupted: options.signal?.aborted === true,
    events_per_second: Math.round(proof.stored / seconds),
    sent_per_second: Math.round(sent / Math.max(0.001, (sender.endedAt - sender.begunAt) / 1000)),
    seconds: round(seconds),
    answer_ms: quantiles(facts.latency, 1000),
    answer_ms_from: Number.isFinite(options.rate)
      ? 'the time at which the frame was due (corrected for coordinated omission)'
      : 'sending',
    visible_ms: quantiles(facts.visible, 1),
    visible_ms_resolution: PROBE_MS,
    visible_unmeasured_frames: sender.sum((stream) => stream.sentTimes.unmeasured),
    cpu_seconds: { ...figures.cpu_seconds, load: round(facts.loadCpuSeconds) },
    rss_max_bytes: figures.rss_max_bytes,
    rss_by_minute: figures.rss_by_minute,
    // Minutes of the run, and whether its rate could go on for ever; null: it was too short to say.
    minutes: facts.steps,
    level: levelOf(facts.steps, options.rate),
    ledger: ledgerOf(facts),
    run: facts.tag,
    protocol: options.protocol,
    rate: Number.isFinite(options.rate) ? options.rate : 'max',
    connections: options.connections,
    events_per_frame: perFrame,
    duration_seconds: options.durationMs / 1000,
    ack: options.ack,
    // By field: how many different ones were drawn from; and how many keys of the primary entity came.
    keys: Object.fromEntries(facts.fields.keys.map(({ path, keys }) => [path.map(({ name }) => name).join('.'), keys])),
    keys_seen: proof.keysSeen,
    ...exampleKeys(facts),
    zipf: options.zipfExponent,
    seed: options.seed,
    workers: server.workers,
    pipeline_version: server.pipeline.version,
  };
}

/** Of the example game, under the names that they have had from the first. */
function exampleKeys({ plan, options, proof }: LoadFacts) {
  if (!isExampleGame(plan)) return {};
  const counts = keyCounts(plan, options.keys);
  return { players: counts.get('player'), players_seen: proof.keysSeen, hunts: counts.get('hunt') };
}

/** Nothing is missing, nothing is twice, and everything was answered. */
export function isSound(report: LoadReport): boolean {
  const {
    lost,
    duplicated,
    strangers,
    unanswered,
    rejected,
    rejected_frames: rejectedFrames,
    odd_frames: odd,
  } = report;
  return [lost, duplicated, strangers, unanswered, rejected, rejectedFrames, odd.length].every((count) => count === 0);
}

function ledgerOf({ ledger, tag, sender }: LoadFacts) {
  if (ledger === null) return null;
  const mine = new Set(sender.streams.map((_, i) => producerName(tag, i.toString(36).padStart(2, '0'))));
  const lines = ledger.filter(({ producer }) => mine.has(producer));
  const sum = (pick: (line: (typeof lines)[number]) => number): number =>
    lines.reduce((total, line) => total + pick(line), 0);
  return {
    received: sum((line) => line.received),
    accepted: sum((line) => line.accepted),
    duplicates: sum((line) => line.duplicates),
    refused: sum((line) => line.refused),
    dead_lettered: sum((line) => line.deadLettered),
  };
}

function quantiles(histogram: Histogram, scale: number) {
  const at = (percent: number): number => round(histogram.getValueAtPercentile(percent) / scale);
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9) };
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

export function reportText(report: LoadReport): string {
  const n = (value: number): string => value.toLocaleString('en');
  const mib = (bytes: number): string => `${n(Math.round(bytes / 2 ** 20))} MiB`;
  const { answer_ms: answer, visible_ms: visible, cpu_seconds: cpu, rss_max_bytes: rss } = report;
  const rows: [string, string][] = [
    ['events/s into ClickHouse', `${n(report.events_per_second)} (first sent to last visible, ${report.seconds} s)`],
    ['sent', `${n(report.sent)} (${n(report.sent_per_second)}/s)`],
    ['answered', n(report.answered)],
    ['stored', n(report.stored)],
    ['lost', n(report.lost)],
    ['duplicated', n(report.duplicated)],
    ...optional('under another id', report.strangers),
    ...optional('not answered', report.unanswered),
    ...optional('due and never sent', report.unsent),
    ...optional('rejected', report.rejected),
    ...optional('frames rejected', report.rejected_frames),
    ...optional('asked for again', report.retried),
    ...optional('sent again', report.resent),
    ...optional('reconnects', report.reconnects),
    [
      'answer ms',
      `p50 ${answer.p50}  p90 ${answer.p90}  p99 ${answer.p99}  p999 ${answer.p999}  from ${report.answer_ms_from}`,
    ],
    [
      'visible in SQL ms',
      `p50 ${visible.p50}  p90 ${visible.p90}  p99 ${visible.p99}  asked every ${report.visible_ms_resolution} ms`,
    ],
    ['CPU seconds', `server ${cpu.server}  ClickHouse ${cpu.clickhouse}  load generator ${cpu.load}`],
    ['resident memory at most', `server ${mib(rss.server)}  ClickHouse ${mib(rss.clickhouse)}`],
    ['keys', keysText(report)],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(26)}${value}`);
  for (const odd of report.odd_frames) lines.push(`odd frame                 ${JSON.stringify(odd)}`);
  lines.push(...courseLines(report.minutes, report.level));
  lines.push(isSound(report) ? 'nothing lost, nothing doubled' : 'THIS RUN IS NOT SOUND');
  return lines.join('\n');
}

function keysText({ keys, keys_seen: seen, zipf }: LoadReport): string {
  const drawn = Object.entries(keys).map(([field, count]) => `${field} of ${count.toLocaleString('en')}`);
  const law = drawn.length === 0 ? '' : `; drawn by Zipf's law with exponent ${zipf}: ${drawn.join(', ')}`;
  return `${seen.toLocaleString('en')} of the primary entity came${law}`;
}

function optional(name: string, value: number): [string, string][] {
  return value === 0 ? [] : [[name, value.toLocaleString('en')]];
}
