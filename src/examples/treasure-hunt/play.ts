/**
 * `hunt play`: simulated players, some of them bots and some who need help, play the example game through the client. Who
 * they are in truth is known here, so the decisions can be judged.
 */

import { defineCommand } from 'citty';
import { playOutcomeText } from './play/outcome.ts';
import { playGame } from './play/play-game.ts';
import { countOption, durationOption, jsonOption, numberOption, serverOf, URL_OPTIONS } from '../../cli/options.ts';

const PLAYERS_MAX = 1_000_000;
const INTERRUPTED = 130;

export const playCommand = defineCommand({
  args: {
    ...URL_OPTIONS,
    duration: { type: 'string', default: '20s', description: 'How long to play: 20s, 5m' },
    players: { type: 'string', default: '200', description: 'How many come; about one in seven is a bot' },
    rate: {
      type: 'string',
      default: 'max',
      description: 'Events a second at most: fewer players at a time, none slower; max: all at once',
    },
    seed: { type: 'string', default: '1', description: 'The same seed and the same decisions give the same game' },
    ...jsonOption('Print one JSON object; decisions go to standard error'),
  },
  async run({ args }) {
    const interruption = new AbortController();
    const onSignal = (): void => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    const log = args.json ? process.stderr : process.stdout;
    try {
      const outcome = await playGame({
        ...serverOf(args),
        durationMs: durationOption('duration', args.duration),
        players: countOption('players', args.players, 1, PLAYERS_MAX),
        rate: args.rate === 'max' ? Infinity : numberOption('rate', args.rate, 1, 10_000_000),
        seed: countOption('seed', args.seed, 0, Number.MAX_SAFE_INTEGER),
        print: (line) => void log.write(`${line}\n`),
        signal: interruption.signal,
      });
      process.stdout.write(args.json ? `${JSON.stringify(outcome)}\n` : `\n${playOutcomeText(outcome)}\n`);
      if (outcome.answered < outcome.events || outcome.rejected > 0) process.exitCode = 1;
      if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  },
});
