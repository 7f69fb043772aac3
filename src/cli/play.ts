/**
 * `hunt play`: simulated players, some of them bots and some who need help, play the example game through the client. Who they
 * are in truth is known here, so the decisions can be judged.
 */

import { defineCommand } from 'citty';
import { OperatingError } from '../errors.ts';
import { outcomeText } from './play/outcome.ts';
import { playGame } from './play/play-game.ts';

export const playCommand = defineCommand({
  meta: { name: 'hunt play', description: 'Let simulated players play the example game, and judge what was decided.' },
  args: {
    url: { type: 'string', default: 'http://127.0.0.1:8700', description: 'The server; it must run the example game' },
    key: { type: 'string', description: 'API key of the server' },
    duration: { type: 'string', default: '20s', description: 'How long to play: 20s, 5m' },
    players: { type: 'string', default: '200', description: 'How many players' },
    rate: {
      type: 'string',
      default: 'max',
      description: 'Events a second at most; max: everyone at a pace of their own',
    },
    seed: { type: 'string', default: '1', description: 'The same seed and the same decisions give the same game' },
    json: { type: 'boolean', default: false, description: 'Print one JSON object; decisions go to standard error' },
  },
  async run({ args }) {
    const aborted = new AbortController();
    process.once('SIGINT', () => aborted.abort());
    const outcome = await playGame({
      url: args.url,
      key: args.key,
      durationMs: duration(args.duration),
      players: above('players', args.players, 0, 1_000_000),
      rate: args.rate === 'max' ? Infinity : above('rate', args.rate, 0, 1e9),
      seed: above('seed', args.seed, -1, 2 ** 31),
      print: (line) => (args.json ? process.stderr : process.stdout).write(`${line}\n`),
      signal: aborted.signal,
    });
    process.stdout.write(args.json ? `${JSON.stringify(outcome)}\n` : `${outcomeText(outcome)}\n`);
    if (outcome.answered < outcome.events) process.exitCode = 1;
  },
});

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (match === null)
    throw new OperatingError('bad_option', `not a duration: duration=${text}; write 20s, 500ms or 5m`);
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
}

function above(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > low && value <= high) return value;
  throw new OperatingError('bad_option', `not a whole number above ${low}: ${name}=${text}`);
}
