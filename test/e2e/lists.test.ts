/** Lists on a real server: replaced while it runs, seen by all workers at once, kept over a stop and a kill. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ExplainedDecision, StoredExplanation } from '../../src/contract/explanation.ts';
import { hunt, root, startServer, temporaryFolder, type Server } from './server.ts';
import { openStream } from './wire-client.ts';

const folder = temporaryFolder();
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

/** The example game, where players on a list are challenged. */
function pipeline(): string {
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const rule = "- { id: digger, when: 'player.digs_1m > 40', then: challenge }";
  const listed = "- { id: digger, when: 'event.player_id in list.cheats', then: challenge }";
  const lists = 'lists:\n  cheats: { file: cheats.txt, type: int, max: 1000 }\n';
  expect(text).toContain(rule);
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'cheats.txt'), '# known\n5\n6\n');
  const file = join(folder.path, 'listed.yaml');
  const whole = text.slice(0, text.indexOf('\ntests:')).replace(rule, listed);
  writeFileSync(file, whole.replace('\ndecisions:\n', `\n${lists}decisions:\n`));
  return file;
}

async function start(): Promise<Server> {
  const options = ['--batch-age', '100', '--workers', '2'];
  const server = await startServer({ data: join(folder.path, 'data'), pipeline: pipeline(), options });
  servers.add(server);
  return server;
}

let frames = 0;
/** By player, the id of the last event. */
const lastEvent = new Map<number, string>();

/** Which of the players 5 to 9 are challenged: asked over several connections, so on both workers. */
async function challenged(server: Server): Promise<number[]> {
  const answers = await Promise.all(
    [0, 1, 2, 3].map(async () => {
      const stream = await openStream(server.url, { protocol: 'hunt.v1.json', producer: `producer-${++frames}` });
      const events = [5, 6, 7, 8, 9].map((player) => ({
        id: `${frames}-${player}-${Math.random()}`,
        player,
        at: Date.now(),
      }));
      for (const { id, player } of events) lastEvent.set(player, id);
      const { decisions } = await stream.send(1, events);
      await stream.close();
      return [5, 6, 7, 8, 9].filter((_, i) => decisions[i]?.['trust'] === 'challenge');
    }),
  );
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  return answers[0]!;
}

/** What the row says of the rule that asks the list: its truth, whether it decided, and what is noted. */
async function explained(server: Server, id: string): Promise<unknown[]> {
  const { decisions, notes } = await server.get<StoredExplanation>(`/v1/decisions/${id}`);
  const { action, rules }: ExplainedDecision = decisions.find(({ decision }) => decision === 'trust')!;
  const { holds, decided, condition } = rules.find(({ rule }) => rule === 'digger')!;
  return [action, holds, decided, condition.text, condition.values.map(({ text }) => text), notes];
}

const READ = ['event.player_id in list.cheats', ['event.player_id'], []];

const url = (server: Server): string[] => ['--url', server.url];

test('shown, replaced, refused, and kept', async () => {
  const first = await start();
  expect(await challenged(first)).toEqual([5, 6]);
  const shown = await hunt(['lists', ...url(first)]);
  expect(shown.stdout).toContain('cheats  2 of at most 1000 (int), as in cheats.txt');

  const replaced = await hunt(['lists', 'replace', 'cheats', '-', ...url(first)], { input: ' 7 \n\n# new\n9\n7\n' });
  expect(replaced.code, replaced.stderr).toBe(0);
  expect(replaced.stdout).toContain('cheats  2 of at most 1000 (int), replaced ');
  const ids = new Map(lastEvent);
  expect(await challenged(first)).toEqual([7, 9]);
  // Explained by what was read, whatever the list holds by now.
  expect(await explained(first, ids.get(5)!)).toEqual(['challenge', true, true, ...READ]);
  expect(await explained(first, ids.get(7)!)).toEqual(['allow', false, false, ...READ]);
  expect(await explained(first, lastEvent.get(7)!)).toEqual(['challenge', true, true, ...READ]);
  expect(await explained(first, lastEvent.get(5)!)).toEqual(['allow', false, false, ...READ]);
  expect(first.log()).toContain('list replaced');

  const wrong = await hunt(['lists', 'replace', 'cheats', '-', ...url(first)], { input: '7\nseven\n' });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('line=2 not an integer of 64 bits: seven')]);
  const long = Array.from({ length: 1001 }, (_, i) => i).join('\n');
  const full = await hunt(['lists', 'replace', 'cheats', '-', ...url(first)], { input: long });
  expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('more than max: 1000 entries')]);
  const unknown = await hunt(['lists', 'replace', 'friends', '-', ...url(first)], { input: '7\n' });
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('no such list: list=friends; it has cheats'),
  ]);
  const headers = { 'content-type': 'text/csv' };
  const bytes = await fetch(`${first.url}/v1/lists/cheats`, {
    method: 'POST',
    headers,
    body: Buffer.from([0xff, 0x0a]),
  });
  expect(bytes.status).toBe(400);
  const huge = await fetch(`${first.url}/v1/lists/cheats`, {
    method: 'POST',
    headers,
    body: Buffer.alloc(33 << 20, 0x0a),
  });
  expect(huge.status).toBe(413);
  expect(await challenged(first)).toEqual([7, 9]);

  await first.kill();
  servers.delete(first);
  const second = await start();
  expect(await challenged(second)).toEqual([7, 9]);
  expect((await second.get<{ lists: { entries: number }[] }>('/v1/lists')).lists).toMatchObject([{ entries: 2 }]);
  const emptied = await hunt(['lists', 'replace', 'cheats', '-', ...url(second)], { input: '' });
  expect(emptied.code, emptied.stderr).toBe(0);
  expect(await challenged(second)).toEqual([]);
  expect(await second.stop()).toBe(0);
  servers.delete(second);
});
