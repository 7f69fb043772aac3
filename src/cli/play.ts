/**
 * `hunt play`: simulated players play the example game through the client. The world is seeded and knows the truth about each
 * player, so it can say how well the decisions did: bots challenged, humans left alone, stuck players helped.
 */

import { defineCommand } from 'citty';
import { setTimeout as pause } from 'node:timers/promises';
import { HuntClient, type ClientAnswer } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { createWorld, KINDS, type Move, type PlayerKind } from './play/world.ts';

export interface PlayOptions {
  readonly url: string;
  readonly key?: string | undefined;
  readonly players: number;
  readonly seconds: number;
  readonly seed: number;
  /** Told of each decision that a rule made for a player: not `continue` and not `allow`. */
  readonly onDecision?: (line: string) => void;
}

/** By kind of player: how many there are, and how many were challenged, or given a hint, at least once. */
export type Confusion = Readonly<Record<PlayerKind, { players: number; challenged: number; hinted: number }>>;

export interface PlayResult {
  readonly events: number;
  readonly rejected: number;
  readonly seconds: number;
  readonly byKind: Confusion;
}

export const playCommand = defineCommand({
  meta: {
    name: 'hunt play',
    description: 'Let simulated players play the example game; some are bots, some are stuck.',
  },
  args: {
    url: {
      type: 'string',
      default: 'http://127.0.0.1:8700',
      description: 'The server; it must run the example pipeline',
    },
    key: { type: 'string', description: 'API key of the server' },
    duration: { type: 'string', default: '20s', description: 'How long to play: 20s, 5m' },
    players: { type: 'string', default: '200', description: 'How many players' },
    seed: { type: 'string', default: '1', description: 'The same seed plays the same game' },
    json: { type: 'boolean', default: false, description: 'Print one JSON object, and no decisions' },
  },
  async run({ args }) {
    const match = /^(\d+(?:\.\d+)?)(s|m)$/.exec(args.duration);
    if (match === null)
      throw new OperatingError('bad_option', `not a duration: duration=${args.duration}; write 20s or 5m`);
    const result = await play({
      url: args.url,
      key: args.key,
      players: wholeNumber('players', args.players),
      seconds: Number(match[1]) * (match[2] === 'm' ? 60 : 1),
      seed: wholeNumber('seed', args.seed),
      ...(args.json ? {} : { onDecision: (line: string) => process.stdout.write(`${line}\n`) }),
    });
    process.stdout.write(args.json ? `${JSON.stringify(result)}\n` : `${describePlay(result)}\n`);
  },
});

/** The players' clocks tick so often. */
const TICK_MS = 50;
const SIGNAL_EXIT = 130;

export async function play(options: PlayOptions): Promise<PlayResult> {
  const world = createWorld(options.players, options.seed);
  const client = await HuntClient.connect({ url: options.url, key: options.key });
  const unknown = ['assistance', 'trust'].filter(
    (name) => !client.hello.decisions.some((decision) => decision.name === name),
  );
  if (unknown.length > 0) {
    await client.close();
    throw new OperatingError(
      'other_pipeline',
      `the server does not play this game: pipeline=${client.hello.pipeline} missing=${unknown.join(',')}; start hunt serve without a file`,
    );
  }
  const byKind = emptyConfusion();
  for (const { kind } of world.players) byKind[kind].players++;
  const seen = new Set<string>();
  const begun = performance.now();
  let events = 0;
  let rejected = 0;
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) process.exit(SIGNAL_EXIT);
    stopping = true;
  };
  process.on('SIGINT', onSignal);
  const answers: Promise<void>[] = [];
  const take = (moves: readonly Move[], answer: ClientAnswer): void => {
    rejected += answer.rejections.length;
    moves.forEach((move, i) => note(move, answer.decisions[i] ?? null, byKind, seen, options.onDecision));
  };
  while (!stopping && performance.now() - begun < options.seconds * 1000) {
    const moves = world.tick(Date.now());
    events += moves.length;
    if (moves.length > 0)
      answers.push(client.send(moves.map((move) => move.event)).then((answer) => take(moves, answer)));
    await pause(TICK_MS);
  }
  await Promise.all(answers);
  await client.close();
  process.off('SIGINT', onSignal);
  return { events, rejected, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)), byKind };
}

type MutableConfusion = Record<PlayerKind, { players: number; challenged: number; hinted: number }>;

function emptyConfusion(): MutableConfusion {
  return Object.fromEntries(KINDS.map((kind) => [kind, { players: 0, challenged: 0, hinted: 0 }])) as MutableConfusion;
}

/** Counts a player's first challenge and first hint, and tells of each decision that a rule made. */
function note(
  { player, event }: Move,
  decisions: Readonly<Record<string, string | null>> | null,
  byKind: MutableConfusion,
  seen: Set<string>,
  tell: ((line: string) => void) | undefined,
): void {
  const made = { challenged: decisions?.['trust'] === 'challenge', hinted: decisions?.['assistance'] === 'hint' };
  for (const what of ['challenged', 'hinted'] as const) {
    if (!made[what]) continue;
    const first = !seen.has(`${player.id} ${what}`);
    seen.add(`${player.id} ${what}`);
    if (first) byKind[player.kind][what]++;
    if (first)
      tell?.(
        `${String(event['eventTime'])}  player ${player.id} (${player.kind}): ${what === 'hinted' ? 'assistance hint' : 'trust challenge'}`,
      );
  }
}

export function describePlay({ events, rejected, seconds, byKind }: PlayResult): string {
  const lines = KINDS.map((kind) => {
    const { players, challenged, hinted } = byKind[kind];
    return `${kind.padEnd(12)} ${String(players).padStart(6)} players  ${String(challenged).padStart(6)} challenged  ${String(hinted).padStart(6)} given a hint`;
  });
  return [`${events} events in ${seconds} s, ${rejected} rejected`, ...lines].join('\n');
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new OperatingError('bad_option', `not a whole number above 0: ${name}=${text}`);
}
