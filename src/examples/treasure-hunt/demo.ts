/**
 * `hunt demo`: the engine on a temporary folder, simulated players for 20 s, decisions as they come, a few questions in SQL,
 * one decision explained, the account. Stays up until Ctrl-C; with --exit it ends there, well only if the account balances.
 */

import { defineCommand } from 'citty';
import { eventsSource } from '../../contract/events-source.ts';
import { OperatingError } from '../../errors.ts';
import { audit } from '../../cli/audit.ts';
import { byRuleSql, explain, type Row } from './demo/stored-explanation.ts';
import { startOwnServer, type OwnServer } from './demo/own-server.ts';
import { showRows } from './demo/progress.ts';
import { askRows, askTable, QUESTIONS } from './demo/questions.ts';
import { playOutcomeText } from './play/outcome.ts';
import { playGame } from './play/play-game.ts';

const SEED = 7;
/** About 300 events a second: every rule has its cases, and one can still read along. */
const PLAYERS = 400;
const SECONDS_MAX = 3600;
const INTERRUPTED = 130;

export const demoCommand = defineCommand({
  args: {
    exit: {
      type: 'boolean',
      default: false,
      description: 'End after the show, with code 0 only if the account balances',
    },
    seconds: { type: 'string', default: '20', description: 'How long the players play' },
  },
  async run({ args }) {
    const seconds = Number(args.seconds);
    if (!(seconds >= 1 && seconds <= SECONDS_MAX)) {
      throw new OperatingError('bad_option', `not a number from 1 to ${SECONDS_MAX}: seconds=${args.seconds}`);
    }
    const interruption = new AbortController();
    const interrupted = untilSignal(interruption);
    print('Starting the engine and its ClickHouse on a temporary folder …');
    const server = await startOwnServer(print);
    try {
      const shown = show(server, seconds, interruption.signal);
      await Promise.race([shown, server.engine.failed, interrupted]);
      if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
      else if (!(await shown)) process.exitCode = 1;
      else if (!args.exit) {
        inviteToTry(server);
        await Promise.race([interrupted, server.engine.failed]);
      }
    } finally {
      print('Stopping, and deleting the temporary folder …');
      await server.stop();
    }
    // A game that was cut short may still wait for something.
    process.exit();
  },
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function untilSignal(interruption: AbortController): Promise<void> {
  return new Promise((done) => {
    const onSignal = (): void => {
      // A second one ends at once.
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      interruption.abort();
      done();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  });
}

/** Whether the account balances. */
async function show(server: OwnServer, seconds: number, signal: AbortSignal): Promise<boolean> {
  const { url, clickhouse } = server.engine;
  print(`  events      ${url}\n  ClickHouse  ${clickhouse.url}\n  folder      ${server.folder}`);
  print(`\n${PLAYERS} players play for ${seconds} s. What the engine decides about them, and who they are in truth:`);
  const progress = showRows(clickhouse, print);
  const outcome = await playGame({
    url,
    durationMs: seconds * 1000,
    players: PLAYERS,
    rate: Infinity,
    seed: SEED,
    print,
    signal,
  }).finally(() => progress.stop());
  print(`\n${playOutcomeText(outcome)}`);
  // Waits until everything is in ClickHouse, so that the answers below are about the whole game.
  const report = await audit({ url });
  for (const { text, sql } of QUESTIONS) {
    print(`\n${text}\n`);
    print(indented(`${sql};`));
    print(indented((await askTable(clickhouse, sql)).trimEnd()));
  }
  await explainOne(server);
  return account(report);
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}

/** The newest decision that a rule made, by the first of the pipeline's decisions that has one. */
async function explainOne({ engine }: OwnServer): Promise<void> {
  for (const decision of engine.plan.decisions) {
    const sql = `SELECT * FROM ${eventsSource('all').from} WHERE ${byRuleSql(decision)} ORDER BY effective_time DESC LIMIT 1`;
    const [row] = await askRows<Row>(engine.clickhouse, sql);
    if (row === undefined) continue;
    print(`\nWhy? One decision, explained from its row alone:\n`);
    print(indented(explain(engine.plan, decision, row).join('\n')));
    return;
  }
}

function account(report: Awaited<ReturnType<typeof audit>>): boolean {
  const { received, accepted, duplicates, refused, deadLettered, stored, distinct } = report;
  print(`\nThe account, counted in the tables:\n`);
  print(
    `  received ${received} = accepted ${accepted} + duplicates ${duplicates} + refused ${refused} + dead-lettered ${deadLettered}`,
  );
  print(`  stored   ${stored} rows, ${distinct} of them distinct`);
  for (const { what, expected, found } of report.gaps)
    print(`  GAP      ${what}: expected ${expected}, found ${found}`);
  print(report.balanced ? '  Every accepted event is in ClickHouse exactly once.' : '  The account does not balance.');
  return report.balanced;
}

function inviteToTry({ engine }: OwnServer): void {
  const event = {
    event_id: 'hello-1',
    player_id: 42,
    hunt_id: 1,
    event_time: new Date().toISOString(),
    dig: { depth: 0.4, tool: 'SPADE' },
  };
  const { from } = eventsSource('all');
  const query = `SELECT action, assistance, trust, player_digs_5m FROM ${from} WHERE player_id = 42 FORMAT PrettyCompact`;
  print('\nIt stays up. Dig a hole yourself; sent twice, it counts once:\n');
  print(
    `  curl -s ${engine.url}/v1/events -H 'content-type: application/json' -d '${JSON.stringify({ events: [event] })}'`,
  );
  print(`\nWhat is known about you now, and your row:\n`);
  print(`  curl -s ${engine.url}/v1/entities/player/42`);
  print(`  curl -s '${engine.clickhouse.url}/?database=${engine.clickhouse.database}' -d '${query}'`);
  print('\nCtrl-C ends it and deletes its folder.');
}
