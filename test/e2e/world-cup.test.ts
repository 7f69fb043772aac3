/**
 * Real input: every event of the 2018 World Cup through `hunt send`. The counters of goals and own goals have one right
 * answer, read three ways: from the answers, from the entities, from SQL.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeRealData, realData } from './real-data.ts';
import { expectVerified, hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

const EVENTS = 101_759;
const file = realData('wyscout-world-cup', 'events.jsonl.gz');
const folder = temporaryFolder();
const answersFile = join(folder.path, 'answers.ndjson');
let server: Server;

interface Side {
  readonly match: number;
  readonly team: number;
}

interface Goals {
  goals: number;
  own_goals: number;
}

const nameOf = ({ match, team }: Side): string => `${match},${team}`;

describeRealData('wyscout-world-cup', () => {
  beforeAll(async () => {
    server = await startServer({
      data: join(folder.path, 'data'),
      pipeline: join(root, 'test', 'e2e', 'world-cup', 'pipeline.yaml'),
      options: ['--batch-age', '200'],
    });
  });
  afterAll(async () => {
    await server?.stop();
    folder.remove();
  });

  /** A team's score is its goals and the other team's own goals. */
  function rightScores(goals: ReadonlyMap<string, Goals>): number {
    const rows = readFileSync(realData('wyscout-world-cup', 'scores.csv'), 'utf8').trim().split('\n').slice(1);
    const scores = rows
      .map((row) => row.split(',').map(Number))
      .map(([match, team, score]) => ({ match, team, score }));
    expect(scores).toHaveLength(128);
    return scores.filter(({ match, team, score }) => {
      const other = scores.find((side) => side.match === match && side.team !== team)!;
      return goals.get(nameOf({ match, team }))!.goals + goals.get(nameOf(other))!.own_goals === score;
    }).length;
  }

  async function send(options: readonly string[] = []): Promise<Record<string, number>> {
    const result = await hunt(['send', file, '--url', server.url, '--json', ...options]);
    expect(result.code, result.stdout + result.stderr).toBe(0);
    return JSON.parse(result.stdout) as Record<string, number>;
  }

  async function rows(): Promise<number> {
    return (await server.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM events'))[0].n;
  }

  test('101,759 events end as 101,759 rows; sent again, none is added', async () => {
    expect(await send(['--answers', answersFile])).toMatchObject({
      rows: EVENTS,
      accepted: EVENTS,
      duplicates: 0,
      unanswered: 0,
    });
    await until(async () => (await rows()) >= EVENTS, 'all rows');
    expect(await rows()).toBe(EVENTS);
    expect(await send()).toMatchObject({ rows: EVENTS, accepted: 0, duplicates: EVENTS });
    // Whatever the second run could have added would come before this.
    const body = JSON.stringify({ events: [{ id: 1, ts: '2018-07-16T00:00:00Z', match: 0, team: 0, player: 0 }] });
    const headers = { 'content-type': 'application/json', 'x-hunt-ack': 'stored' };
    expect((await fetch(`${server.url}/v1/events`, { method: 'POST', headers, body })).status).toBe(200);
    expect(await rows()).toBe(EVENTS);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  });

  test('scores from the answers: 128 of 128', () => {
    const events = gunzipSync(readFileSync(file))
      .toString('utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Side);
    const answers = readFileSync(answersFile, 'utf8').trim().split('\n');
    expect(answers).toHaveLength(EVENTS);
    const goals = new Map<string, Goals>(events.map((event) => [nameOf(event), { goals: 0, own_goals: 0 }]));
    const inOrder = answers.every((line, i) => {
      const answer = JSON.parse(line) as { index: number; decisions: { scoring: string } };
      const side = goals.get(nameOf(events[i]))!;
      if (answer.decisions.scoring === 'goal') side.goals++;
      if (answer.decisions.scoring === 'own_goal') side.own_goals++;
      return answer.index === i;
    });
    expect(inOrder).toBe(true);
    expect(goals.size).toBe(128);
    expect(rightScores(goals)).toBe(128);
  });

  test('scores from the entities: 128 of 128', async () => {
    const sides = await server.query<Side>('SELECT DISTINCT `match`, team FROM events');
    expect(sides).toHaveLength(128);
    const goals = new Map<string, Goals>();
    for (const side of sides) {
      const { features } = await server.get<{ features: Record<string, number> }>(`/v1/entities/side/${nameOf(side)}`);
      goals.set(nameOf(side), { goals: features.goals, own_goals: features.own_goals });
    }
    expect(rightScores(goals)).toBe(128);
  });

  test('scores from SQL: 128 of 128, as served with the last event of each side', async () => {
    const sides = await server.query<Side & Goals>(
      `SELECT \`match\`, team, argMax(side_goals, (side_life, side_seq)) AS goals, argMax(side_own_goals, (side_life, side_seq)) AS own_goals
     FROM events GROUP BY \`match\`, team`,
    );
    expect(rightScores(new Map(sides.map((side) => [nameOf(side), side])))).toBe(128);
  });

  test('every feature of every row is what SQL makes of the stored rows', { timeout: 120_000 }, async () => {
    await expectVerified(server.url, EVENTS);
  });
});
