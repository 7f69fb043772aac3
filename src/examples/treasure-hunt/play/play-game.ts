/**
 * Lets the world play through HuntClient in real time, and tells what was decided as it comes. Called by play.ts and
 * demo.ts.
 */

import { build } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import { HuntClient, type ClientAnswer } from '../../../client/index.ts';
import { OperatingError } from '../../../errors.ts';
import { confusionOf, type PlayOutcome } from './outcome.ts';
import { PLAYER_KINDS, takeDecision } from './players.ts';
import { World, type Turn } from './world.ts';

export interface PlayOptions {
  readonly url: string;
  readonly key?: string | undefined;
  readonly durationMs: number;
  readonly players: number;
  /** Events a second at most; Infinity: everyone plays at once. */
  readonly rate: number;
  readonly seed: number;
  readonly reconnectMs?: number;
  /**
   * One line for each decision that asks something of a player, at most LINES_PER_SECOND a second; and for what goes wrong.
   */
  readonly print: (line: string) => void;
  /** Aborted: the game ends early. */
  readonly signal?: AbortSignal;
}

/** Turns that fall due together go out in one frame. */
const TICK_MS = 20;
const FRAME_EVENTS_MAX = 500;
const LINES_PER_SECOND = 8;
/** Ids of this game's players; other players of the server stay below. */
const IDS_FROM = 1_000_000_000;
const IDS_PER_RUN = 1_000_000;
const RUNS = 1_000_000;

export async function playGame(options: PlayOptions): Promise<PlayOutcome> {
  const run = Date.now() % RUNS;
  const name = run.toString(36).padStart(4, '0');
  const { url, key, reconnectMs, print } = options;
  const client = await HuntClient.connect({
    url,
    key,
    producer: `play:${name}:${process.pid}`,
    onReconnect: print,
    ...(reconnectMs === undefined ? {} : { reconnectMs }),
  });
  checkGame(client);
  const world = new World({ ...options, firstId: IDS_FROM + run * IDS_PER_RUN });
  const latency = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const lines = lineLimit(print);
  const counts = { events: 0, answered: 0, rejected: 0 };
  let failure: Error | null = null;
  const begun = performance.now();
  const sinceBegin = (): number => (performance.now() - begun) / 1000;

  const send = (turns: readonly Turn[]): void => {
    const sentAt = performance.now();
    const time = new Date().toISOString();
    const events = turns.map((turn) => eventOf(turn, `${name}-${counts.events++}`, time));
    client.send(events).then(
      (answer) => {
        latency.recordValue(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
        counts.answered += turns.length;
        counts.rejected += answer.status === 'REJECTED' ? turns.length : answer.rejections.length;
        turns.forEach((turn, i) =>
          hear(turn, answer, i, (line) => lines(`${sinceBegin().toFixed(1).padStart(6)} s  ${line}`)),
        );
      },
      (error: unknown) => void (failure ??= error as Error),
    );
  };

  while (
    sinceBegin() * 1000 < options.durationMs &&
    !world.over &&
    failure === null &&
    options.signal?.aborted !== true
  ) {
    const turns = world.turnsUntil(sinceBegin(), FRAME_EVENTS_MAX);
    if (turns.length > 0) send(turns);
    if (turns.length < FRAME_EVENTS_MAX) await pause(TICK_MS);
    else await client.room().catch((error: unknown) => (failure ??= error as Error));
  }
  const seconds = sinceBegin();
  await (failure === null ? client.close() : client.abort());
  if (failure !== null) print(`the game ended early: ${(failure as Error).message}`);
  const at = (percent: number): number => Number((latency.getValueAtPercentile(percent) / 1000).toFixed(2));
  return {
    seconds: Number(seconds.toFixed(3)),
    seed: options.seed,
    run: name,
    ...counts,
    events_per_second: Math.round(counts.events / Math.max(seconds, 0.001)),
    ...confusionOf(world.players),
    answer_ms: { p50: at(50), p90: at(90), p99: at(99) },
  };
}

/** The players only know the example game. */
function checkGame(client: HuntClient): void {
  const names = client.hello.decisions.map(({ name }) => name);
  if (['assistance', 'trust'].every((name) => names.includes(name))) return;
  void client.abort();
  const { pipeline } = client.hello;
  throw new OperatingError(
    'other_game',
    `the players play the example game, and the server runs another: pipeline=${pipeline} decisions=${names.join(',')}; start hunt serve without a pipeline file`,
  );
}

function eventOf({ player, action }: Turn, eventId: string, eventTime: string): object {
  const { id, hunt, lat, lon, sharesPosition } = player;
  const position = sharesPosition ? { lat: Number(lat.toFixed(6)), lon: Number(lon.toFixed(6)) } : {};
  return { eventId, playerId: String(id), huntId: hunt, eventTime, ...position, ...action };
}

function hear({ player, action }: Turn, answer: ClientAnswer, i: number, print: (line: string) => void): void {
  const decisions = answer.decisions[i];
  if (decisions === null || decisions === undefined) return;
  const firstHint = player.hints === 0;
  const firstChallenge = player.challenges === 0;
  takeDecision(player, decisions);
  const { bot, needsHint } = PLAYER_KINDS[player.kind];
  const who = `player ${player.id} after ${Object.keys(action)[0]}`;
  if (decisions['assistance'] === 'hint' && firstHint)
    print(`${who}: hint        in truth ${player.kind}${needsHint ? '' : ', who needed none'}`);
  if (decisions['trust'] === 'challenge' && firstChallenge)
    print(`${who}: challenge   in truth ${player.kind}${bot ? '' : ', wrongly'}`);
}

/** What comes in between is counted and told once. */
function lineLimit(print: (line: string) => void): (line: string) => void {
  let second = 0;
  let shown = 0;
  let left = 0;
  return (line) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (left > 0) print(`          … and ${left} more`);
      second = now;
      shown = 0;
      left = 0;
    }
    if (shown++ < LINES_PER_SECOND) print(line);
    else left++;
  };
}
