/**
 * What one would ask after a game: a few questions in SQL, each with ClickHouse's own table as the answer. Called by
 * demo.ts.
 */

import { eventsSource } from '../../../contract/events-source.ts';
import { OperatingError } from '../../../errors.ts';

export interface ClickHouseAddress {
  readonly url: string;
  readonly database: string;
}

export interface Question {
  readonly text: string;
  readonly sql: string;
}

const EVENTS = eventsSource('all').from;

/** About the example game's pipeline. */
export const QUESTIONS: readonly Question[] = [
  {
    text: 'What happened?',
    sql: `SELECT action AS what, count() AS events, uniqExact(player_id) AS players, bar(events, 0, max(events) OVER (), 20) AS share
FROM ${EVENTS} GROUP BY what ORDER BY events DESC`,
  },
  {
    text: 'What was decided, and by which rules?',
    sql: `SELECT made.1 AS decision, made.2 AS action, made.3 AS rule, count() AS events, uniqExact(player_id) AS players
FROM ${EVENTS} ARRAY JOIN [('assistance', assistance, assistance_rule), ('trust', trust, trust_rule)] AS made
WHERE action != '' GROUP BY decision, action, rule
ORDER BY decision, events DESC`,
  },
  {
    text: 'Does a hint help?',
    sql: `WITH hints AS (SELECT player_id, min(event_time) AS first_hint FROM ${EVENTS} WHERE assistance = 'hint' GROUP BY player_id)
SELECT uniqExact(player_id) AS players_with_a_hint,
  uniqExactIf(player_id, action = 'find' AND event_time <= first_hint) AS found_something_before,
  uniqExactIf(player_id, action = 'find' AND event_time > first_hint) AS found_something_since
FROM ${EVENTS} INNER JOIN hints USING player_id`,
  },
  {
    text: 'Who digs most within a minute?',
    sql: `SELECT player_id, max(player_digs_1m) AS digs_in_a_minute, countIf(trust = 'challenge') AS challenged, count() AS events
FROM ${EVENTS} GROUP BY player_id ORDER BY digs_in_a_minute DESC LIMIT 5`,
  },
  {
    text: 'How far behind is what SQL sees?',
    sql: `SELECT watermark, epoch, batch, (SELECT count() FROM ${EVENTS}) AS rows, (SELECT count() FROM dead_letters) AS dead_letters FROM watermark`,
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
