/** What one would ask after a game: a few questions in SQL, each with ClickHouse's own table as the answer. Called by cli/demo.ts. */

import { OperatingError } from '../../errors.ts';

export interface ClickHouseAddress {
  readonly url: string;
  readonly database: string;
}

export interface Question {
  readonly text: string;
  readonly sql: string;
}

/** About the example game's pipeline. */
export const QUESTIONS: readonly Question[] = [
  {
    text: 'What happened?',
    sql: `SELECT action AS what, count() AS events, uniqExact(player_id) AS players, bar(events, 0, max(events) OVER (), 20) AS share
FROM events GROUP BY what ORDER BY events DESC`,
  },
  {
    text: 'What was decided, and by which rules?',
    sql: `SELECT 'assistance' AS decision, assistance AS action, assistance_rule AS rule, count() AS events, uniqExact(player_id) AS players
FROM events WHERE assistance != '' GROUP BY action, rule
UNION ALL
SELECT 'trust', trust, trust_rule, count(), uniqExact(player_id) FROM events GROUP BY trust, trust_rule
ORDER BY decision, events DESC`,
  },
  {
    text: 'Does a hint help? How soon after their first hint players find something:',
    sql: `SELECT count() AS players_with_a_hint, countIf(found > hinted) AS found_something_later,
  round(quantileIf(0.5)(dateDiff('millisecond', hinted, found) / 1000, found > hinted), 1) AS median_seconds
FROM (SELECT player_id, minIf(event_time, assistance = 'hint') AS hinted, maxIf(event_time, action = 'find') AS found
      FROM events GROUP BY player_id HAVING countIf(assistance = 'hint') > 0)`,
  },
  {
    text: 'Who digs most within a minute?',
    sql: `SELECT player_id, max(player_digs_1m) AS digs_in_a_minute, countIf(trust = 'challenge') AS challenged, count() AS events
FROM events GROUP BY player_id ORDER BY digs_in_a_minute DESC LIMIT 5`,
  },
  {
    text: 'How far behind is what SQL sees?',
    sql: `SELECT watermark, epoch, batch, (SELECT count() FROM events) AS rows, (SELECT count() FROM dead_letters) AS dead_letters FROM watermark`,
  },
];

const SETTINGS = 'output_format_pretty_row_numbers=0&output_format_pretty_color=0';

/** The answer's text in the format that the statement asks for. */
export async function ask(clickhouse: ClickHouseAddress, sql: string): Promise<string> {
  const response = await fetch(`${clickhouse.url}/?database=${clickhouse.database}&${SETTINGS}`, {
    method: 'POST',
    body: sql,
  });
  const text = await response.text();
  if (response.ok) return text;
  throw new OperatingError(
    'query_failed',
    `ClickHouse refused a query: status=${response.status} ${text.trim()}; query=${sql}`,
  );
}

export async function askRows<Row>(clickhouse: ClickHouseAddress, sql: string): Promise<Row[]> {
  const text = await ask(clickhouse, `${sql} FORMAT JSONEachRow`);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
}

export function askTable(clickhouse: ClickHouseAddress, sql: string): Promise<string> {
  return ask(clickhouse, `${sql} FORMAT PrettyCompactMonoBlock`);
}
