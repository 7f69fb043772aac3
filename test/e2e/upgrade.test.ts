/**
 * An engine whose rules have become stricter starts on a data folder whose file it would refuse today: as if an earlier
 * engine had taken it, the stored version and the file are given a key that no engine takes. What decides goes on; a file
 * that the folder has not run is refused as ever.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDurableJson, writeDurableJson } from '../../src/system/durable-json.ts';
import type { PipelineVersion } from '../../src/versions/pipeline-versions.ts';
import { hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';
import { digJson, post, type AnswerBody } from './wire-client.ts';

const folder = temporaryFolder();
const data = join(folder.path, 'data');
const pipeline = join(folder.path, 'game.yaml');
const GOOD = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8').replace(
  /\ntests:[\s\S]*$/,
  '\n',
);
const REFUSED = `${GOOD}mood: good\n`;
/** Of the key, in REFUSED. */
const PLACE = `game.yaml:${GOOD.split('\n').length}:1 `;
let server: Server;
let sent = 0;

async function decide(): Promise<void> {
  const events = [digJson({ id: `u-${++sent}`, player: 1, at: Date.now() })];
  const { bytes } = await post(server.url, JSON.stringify({ events }), { type: 'application/json' });
  const { rejections, decisions } = JSON.parse(bytes.toString()) as AnswerBody;
  expect(rejections).toEqual([]);
  expect(decisions[0]).toMatchObject({ assistance: expect.any(String) });
}

async function start(file: string): Promise<void> {
  server = await startServer({ data, pipeline: file, options: ['--batch-age', '50', '--log-format', 'json'] });
}

beforeAll(async () => {
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(pipeline, GOOD);
  await start(pipeline);
  await decide();
  expect(await server.stop()).toBe(0);
  const versions = join(data, 'pipelines');
  for (const name of readdirSync(versions).filter((one) => one !== 'activations.json')) {
    const version = readDurableJson(join(versions, name), '') as PipelineVersion;
    const taken = { ...version, sources: { ...version.sources, text: REFUSED } };
    writeDurableJson(join(versions, name), taken);
  }
  writeFileSync(pipeline, REFUSED);
}, 120_000);
afterAll(async () => {
  await server?.kill();
  folder.remove();
});

test('the file that the folder has run goes on as it was compiled, and the log says where it is refused and what to do', async () => {
  expect((await hunt(['check', pipeline])).code).toBe(1);
  await start(pipeline);
  expect(server.log()).toContain('it goes on as it was compiled then; mend the file and hunt deploy it');
  expect(server.log()).toContain(PLACE);
  await decide();
  const count = async (): Promise<number> =>
    Number((await server.query<{ n: string }>('SELECT count() AS n FROM events'))[0]!.n);
  await until(async () => (await count()) === sent, 'what it decided is stored');
  expect((await hunt(['verify', '--url', server.url])).code).toBe(0);
  expect((await hunt(['versions', '--url', server.url])).code).toBe(0);
}, 60_000);

test('a rule cannot be switched meanwhile: it is said where the file is refused; a mended file is deployed, and then it can', async () => {
  const refused = await hunt(['disable', 'digger', '--url', server.url]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(PLACE);
  expect(refused.stderr).toMatch(/which an earlier one took.*hunt deploy/s);
  const mended = join(folder.path, 'mended.yaml');
  writeFileSync(mended, GOOD.replace('\n', '\n# mended\n'));
  const deployed = await hunt(['deploy', mended, '--url', server.url]);
  expect(deployed.code, deployed.stderr).toBe(0);
  expect((await hunt(['disable', 'digger', '--url', server.url])).code).toBe(0);
  await decide();
  expect(await server.stop()).toBe(0);
}, 120_000);

test('a refused file that the folder has not run ends the start, with its place, also where a part of it is another now', async () => {
  const begun = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];
  const other = join(folder.path, 'other.yaml');
  writeFileSync(other, REFUSED.replace('mood: good', 'mood: bad'));
  const { code, stderr } = await hunt([...begun, other]);
  expect(code).toBe(1);
  expect(stderr).toContain('other.yaml:');
  const elsewhere = [...begun.slice(0, 2), join(folder.path, 'new'), ...begun.slice(3), pipeline];
  expect(await hunt(elsewhere)).toMatchObject({ code: 1, stderr: expect.stringContaining(PLACE) });
  expect(readdirSync(folder.path)).not.toContain('new');
}, 60_000);
