/**
 * The same events through this engine and through what a team would build instead: a first Node service in two encodings,
 * and Kafka + Flink where Java and Maven are there. A sample proves that all of them store the same rows; then rounds in turn,
 * each system fresh, alone with its load on the machine: as fast as it goes, then at a fixed rate with one event a frame.
 * `npm run bench -- peers [--rounds=3]`.
 */

import { createHash } from 'node:crypto';
import type { Bench, BenchFigure } from '../bench.ts';
import { removeFolder, temporaryFolder } from '../load/children.ts';
import { engine } from './engine.ts';
import { flink } from './flink.ts';
import { differenceOf, rulesUnseen, sampleList, samplePhase, sampleRows } from './equal-rows.ts';
import type { ListShape } from './event-list.ts';
import { measure, total, type Measured } from './measure.ts';
import { nodeService } from './node-service.ts';
import { sideBySide } from './side-by-side.ts';
import type { Phase, System } from './systems.ts';

interface Size {
  readonly rounds: number;
  readonly sampleEvents: number;
  readonly list: ListShape;
  /** How long each system's phase at full speed lasts about. */
  readonly seconds: number;
  /** Else systems are measured cold. */
  readonly isWarm: boolean;
  readonly rate: number;
}

const FULL: Size = {
  rounds: 3,
  sampleEvents: 20_000,
  list: { events: 400_000, players: 210_000, hunts: 5000, isVaried: false },
  seconds: 6,
  isWarm: true,
  rate: 10_000,
};
const TINY: Size = {
  rounds: 1,
  sampleEvents: 4000,
  list: { events: 4000, players: 1000, hunts: 20, isVaried: false },
  seconds: 0,
  isWarm: false,
  rate: 1000,
};

const EVENTS_PER_FRAME = 500;
const CONNECTIONS = 4;
const FRAMES_IN_FLIGHT = 16;
const FRAMES_IN_FLIGHT_STEADY = 512;
const PHASE_MS = 120_000;
/** Multiples of it fill all frames of all connections. */
const WHOLE = EVENTS_PER_FRAME * CONNECTIONS;

interface Round {
  readonly full: Measured;
  readonly steady: Measured;
}

export const bench: Bench = {
  name: 'peers',
  onlyWhenNamed: true,
  text: sideBySide,
  async run({ tiny, option }) {
    const size = tiny ? TINY : { ...FULL, rounds: option('rounds') ?? FULL.rounds };
    const services = [
      nodeService('protobuf', 'uWebSockets.js + protobufjs', 60_000),
      nodeService('json', 'ws + JSON', 40_000),
    ];
    // The tiny form is run beside other work, and without Java.
    const all = tiny ? [engine, ...services] : [engine, flink, ...services];
    const systems = all.filter((system) => {
      const missing = system.missing();
      if (missing !== null) process.stderr.write(`left out: ${system.name}: ${missing}\n`);
      return missing === null;
    });
    const checksum = await proveEqual(systems, size.sampleEvents);
    const rounds = new Map(systems.map((system) => [system, [] as Round[]]));
    for (let round = 0; round < size.rounds; round++)
      for (const system of systems) {
        const measured = await runRound(system, size, round);
        rounds.get(system)!.push(measured);
        process.stderr.write(`round ${round + 1} of ${size.rounds}: ${system.name}: ${JSON.stringify(measured)}\n`);
      }
    return systems.flatMap((system) => figuresOf(system, rounds.get(system)!, size, checksum));
  },
};

async function proveEqual(systems: readonly System[], events: number): Promise<string> {
  let ours: readonly string[] = [];
  for (const system of systems) {
    const folder = temporaryFolder('peers');
    const running = await system.start(folder, sampleList(events), true);
    try {
      await measure(running, samplePhase(events));
      const rows = await sampleRows(running);
      if (system === systems[0]) ours = rows;
      const difference = differenceOf(ours, rows);
      if (difference !== '') throw new Error(`${system.name} does not do the same work: ${difference}`);
    } finally {
      await running.stop();
      removeFolder(folder);
    }
  }
  const unseen = rulesUnseen(ours);
  if (unseen.length > 0) throw new Error(`the sample proves nothing of rules that never fired: ${unseen.join(', ')}`);
  process.stderr.write(`${events} events gave equal rows in all systems, in every column but received_at\n`);
  return createHash('sha256').update(ours.join('\n')).digest('hex').slice(0, 12);
}

async function runRound(system: System, size: Size, round: number): Promise<Round> {
  const folder = temporaryFolder('peers');
  const running = await system.start(folder, size.list, false);
  const phase = (name: string, events: number, rate: number): Phase => ({
    run: `r${round}${name}`.padEnd(6, '0'),
    events: Math.max(WHOLE, Math.floor(events / WHOLE) * WHOLE),
    rate,
    eventsPerFrame: rate === 0 ? EVENTS_PER_FRAME : 1,
    connections: CONNECTIONS,
    framesInFlightMax: rate === 0 ? FRAMES_IN_FLIGHT : FRAMES_IN_FLIGHT_STEADY,
    isSample: false,
    timeoutMs: PHASE_MS,
  });
  const events = system.eventsPerSecond * size.seconds;
  try {
    if (size.isWarm) await measure(running, phase('warm', system.warmEvents, 0));
    const full = await measure(running, phase('full', events, 0));
    if (size.isWarm) await measure(running, phase('slow', size.rate * (size.seconds / 3), size.rate));
    const steady = await measure(running, phase('rate', size.rate * size.seconds, size.rate));
    for (const { stored, distinct, answered } of [full, steady])
      if (stored !== answered || distinct !== answered)
        process.stderr.write(`${system.name}: answered=${answered} stored=${stored} distinct=${distinct}\n`);
    return { full, steady };
  } finally {
    await running.stop();
    removeFolder(folder);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function figuresOf(system: System, rounds: readonly Round[], size: Size, checksum: string): BenchFigure[] {
  const figure = (name: string, unit: string, pick: (round: Round) => number): BenchFigure => {
    const values = rounds.map(pick);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const { players, hunts } = size.list;
    const said = { system: system.name, guarantee: system.guarantee };
    const parameters = { ...said, figure: name, rounds: rounds.length, least, most, players, hunts };
    return { name: `${system.name}: ${name}`, unit, value: median(values), checksum, parameters };
  };
  const perMillion = 'CPU s per M events';
  const mib = (bytes: number): number => bytes / 2 ** 20;
  const processes = Object.keys(rounds[0]!.full.cpuSecondsPerMillion);
  return [
    figure('500 a frame, all processes', perMillion, ({ full }) => total(full.cpuSecondsPerMillion)),
    ...processes.map((name) =>
      figure(`500 a frame, ${name}`, perMillion, ({ full }) => full.cpuSecondsPerMillion[name]!),
    ),
    figure('500 a frame, into ClickHouse', 'events/s', ({ full }) => full.storedPerSecond),
    figure(`${size.rate}/s, 1 a frame, all processes`, perMillion, ({ steady }) => total(steady.cpuSecondsPerMillion)),
    figure(`${size.rate}/s, 1 a frame, decision p50`, 'ms', ({ steady }) => steady.p50),
    figure(`${size.rate}/s, 1 a frame, decision p99`, 'ms', ({ steady }) => steady.p99),
    figure('memory at most, all processes', 'MiB', ({ full, steady }) =>
      mib(Math.max(total(full.rssMaxBytes), total(steady.rssMaxBytes))),
    ),
  ];
}
