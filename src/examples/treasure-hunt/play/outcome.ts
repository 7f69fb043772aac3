/** How well the decisions met the truth: a count of each kind of player by what was decided about them. */

import { PLAYER_KINDS, type PlayerKind, type Player } from './players.ts';

export interface PlayOutcome {
  readonly seconds: number;
  readonly seed: number;
  /** Of the players' ids and the events' ids: never the same twice. */
  readonly run: string;
  readonly events: number;
  readonly answered: number;
  readonly rejected: number;
  readonly events_per_second: number;
  readonly bots: { readonly players: number; readonly challenged: number };
  readonly humans: { readonly players: number; readonly challenged: number };
  readonly stuck: { readonly players: number; readonly hinted: number; readonly found_afterwards: number };
  readonly others: { readonly players: number; readonly hinted: number };
  readonly kinds: Readonly<
    Record<PlayerKind, { readonly players: number; readonly challenged: number; readonly hinted: number }>
  >;
  readonly answer_ms: { readonly p50: number; readonly p90: number; readonly p99: number };
}

type Confusion = Pick<PlayOutcome, 'bots' | 'humans' | 'stuck' | 'others' | 'kinds'>;

/** Players who have come; a player counts as challenged or hinted after the first time. */
export function confusionOf(players: readonly Player[]): Confusion {
  const count = (who: (player: Player) => boolean): number =>
    players.filter((player) => player.actions > 0 && who(player)).length;
  const bot = ({ kind }: Player): boolean => PLAYER_KINDS[kind].bot;
  const needsHint = ({ kind }: Player): boolean => PLAYER_KINDS[kind].needsHint;
  const challenged = ({ challenges }: Player): boolean => challenges > 0;
  const hinted = ({ hints }: Player): boolean => hints > 0;
  const kinds = Object.keys(PLAYER_KINDS).map((name) => {
    const of = ({ kind }: Player): boolean => kind === name;
    return [
      name,
      {
        players: count(of),
        challenged: count((p) => of(p) && challenged(p)),
        hinted: count((p) => of(p) && hinted(p)),
      },
    ];
  });
  return {
    bots: { players: count(bot), challenged: count((p) => bot(p) && challenged(p)) },
    humans: { players: count((p) => !bot(p)), challenged: count((p) => !bot(p) && challenged(p)) },
    stuck: {
      players: count(needsHint),
      hinted: count((p) => needsHint(p) && hinted(p)),
      found_afterwards: count((p) => needsHint(p) && p.foundAfterHint),
    },
    others: { players: count((p) => !needsHint(p)), hinted: count((p) => !needsHint(p) && hinted(p)) },
    kinds: Object.fromEntries(kinds) as Confusion['kinds'],
  };
}

export function playOutcomeText(outcome: PlayOutcome): string {
  const { bots, humans, stuck, others, answer_ms: answer } = outcome;
  return [
    `${outcome.events.toLocaleString('en')} events in ${outcome.seconds.toFixed(1)} s, ${outcome.events_per_second} events/s; answers within ${answer.p50} ms (p50), ${answer.p99} ms (p99)`,
    `${bots.challenged} of ${bots.players} bots were challenged, and ${humans.challenged} of ${humans.players} people wrongly`,
    `${stuck.hinted} of ${stuck.players} players who were stuck got a hint, ${stuck.found_afterwards} of them have found something since; ${others.hinted} of ${others.players} others got one too`,
    '',
    '              players  challenged  hinted',
    ...Object.entries(outcome.kinds).map(([kind, row]) =>
      [
        `  ${kind.padEnd(10)}`,
        String(row.players).padStart(9),
        String(row.challenged).padStart(12),
        String(row.hinted).padStart(8),
      ].join(''),
    ),
    ...(outcome.rejected > 0 ? [`${outcome.rejected} events were rejected`] : []),
    ...(outcome.answered < outcome.events ? [`${outcome.events - outcome.answered} events were not answered`] : []),
  ].join('\n');
}
