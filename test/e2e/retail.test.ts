/**
 * Real input, dirty on purpose of nobody: a year of an online shop as CSV through `hunt send`. What has no customer is
 * refused, counted and kept; nothing is lost.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeRealData, realData } from './real-data.ts';
import { expectVerified, hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

const ROWS = 541_909;
const WITHOUT_CUSTOMER = 135_080;
/** Dead letters of one producer that are kept at once; more come as time passes. */
const KEPT_AT_LEAST = 10_000;
const file = realData('online-retail', 'online-retail.csv.gz');
const folder = temporaryFolder();
let server: Server;

describeRealData('online-retail', () => {
  beforeAll(async () => {
    server = await startServer({
      data: folder.path,
      pipeline: join(root, 'test', 'e2e', 'retail', 'pipeline.yaml'),
      options: ['--batch-age', '200'],
    });
  });
  afterAll(async () => {
    await server?.stop();
    folder.remove();
  });

  async function one<Row>(sql: string): Promise<Row> {
    return (await server.query<Row>(sql))[0];
  }

  test('541,909 lines received = stored + dead letters, those without a customer with reason and bytes', async () => {
    const options = ['--events-per-frame', '1000', '--json', '--allow-rejected'];
    const result = await hunt(['send', file, '--url', server.url, ...options]);
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      rows: ROWS,
      accepted: ROWS - WITHOUT_CUSTOMER,
      rejected: { no_key: WITHOUT_CUSTOMER },
      duplicates: 0,
      unanswered: 0,
    });
    const count = async (table: string): Promise<number> =>
      (await one<{ n: number }>(`SELECT toUInt32(count()) AS n FROM ${table}`)).n;
    await until(async () => (await count('events')) >= ROWS - WITHOUT_CUSTOMER, 'all rows');
    const { total } = await server.get<{ total: Record<string, number> }>('/v1/ledger');
    // Frames that were answered RETRY came twice: received, and refused.
    expect(total).toMatchObject({ accepted: ROWS - WITHOUT_CUSTOMER, deadLettered: WITHOUT_CUSTOMER, duplicates: 0 });
    expect(total.received - total.refused).toBe(ROWS);
    // One producer's dead letters are kept within a budget; all of them are counted.
    expect(total.deadLettersKept + total.deadLettersNotKept).toBe(WITHOUT_CUSTOMER);
    expect(total.deadLettersKept).toBeGreaterThanOrEqual(KEPT_AT_LEAST);
    await until(async () => (await count('dead_letters')) >= total.deadLettersKept, 'all dead letters');
    expect([await count('events'), await count('dead_letters')]).toEqual([
      ROWS - WITHOUT_CUSTOMER,
      total.deadLettersKept,
    ]);
    const audit = await hunt(['audit', '--url', server.url]);
    expect(audit.code, audit.stdout + audit.stderr).toBe(0);
  });

  test('the dead letters are lines without a customer, the first ones of them all', async () => {
    const kept = await server.query<{ code: string; kind: string; field: string; invoice: string; quantity: number }>(
      `SELECT code, kind, field, JSONExtractString(bytes, 'invoice_no') AS invoice,
        toInt32(JSONExtractInt(bytes, 'quantity')) AS quantity FROM dead_letters ORDER BY frame_seq, frame_index`,
    );
    expect(new Set(kept.map(({ code, kind, field }) => `${code} ${kind} ${field}`))).toEqual(
      new Set(['no_key event customer_id']),
    );
    const lines = kept.map(({ invoice, quantity }) => ({ invoice, quantity }));
    const lost = csv().filter(({ customer }) => customer === '');
    const first = lost.slice(0, KEPT_AT_LEAST).map(({ invoice, quantity }) => ({ invoice, quantity }));
    expect(lines.slice(0, KEPT_AT_LEAST)).toEqual(first);
    const names = new Set(lost.map(({ invoice, quantity }) => `${invoice} ${quantity}`));
    expect(lines.filter(({ invoice, quantity }) => !names.has(`${invoice} ${quantity}`))).toEqual([]);
  });

  test('each customer’s counters are what the file says', async () => {
    const lines = new Map<string, { lines: number; pieces: number }>();
    for (const { customer, quantity } of csv()) {
      if (customer === '') continue;
      const sums = lines.get(customer) ?? { lines: 0, pieces: 0 };
      lines.set(customer, { lines: sums.lines + 1, pieces: sums.pieces + quantity });
    }
    expect(lines.size).toBe(4372);
    const served = await server.query<{ customer_id: string; lines: number; pieces: number }>(
      `SELECT customer_id, argMax(customer_lines, (customer_life, customer_seq)) AS lines, argMax(customer_pieces, (customer_life, customer_seq)) AS pieces
     FROM events GROUP BY customer_id`,
    );
    expect(served).toHaveLength(4372);
    for (const { customer_id, ...sums } of served) expect(sums).toEqual(lines.get(customer_id));
    const [busiest] = served.sort((a, b) => b.lines - a.lines);
    const entity = await server.get<{ features: Record<string, number> }>(
      `/v1/entities/customer/${busiest.customer_id}`,
    );
    expect(entity.features).toMatchObject({ lines: busiest.lines, pieces: busiest.pieces });
  });

  interface Line {
    readonly invoice: string;
    readonly quantity: number;
    readonly customer: string;
  }

  let parsed: Line[] | null = null;

  /** The file again, by a reader of its own: no field but the description may be quoted, and none holds a line break. */
  function csv(): Line[] {
    parsed ??= gunzipSync(readFileSync(file))
      .toString('utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const match = /^([^,]*),[^,]*,(?:"(?:[^"]|"")*"|[^,]*),(-?\d+),[^,]*,[^,]*,([^,]*),/.exec(line);
        if (match === null) throw new Error(`no line of the file: ${line}`);
        return { invoice: match[1], quantity: Number(match[2]), customer: match[3] };
      });
    return parsed;
  }

  test('every feature of every row is what SQL makes of the stored rows', { timeout: 120_000 }, async () => {
    await expectVerified(server.url, ROWS - WITHOUT_CUSTOMER);
  });
});
