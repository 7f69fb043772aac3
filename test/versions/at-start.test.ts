/** Which version decides after a start with a file whose zones mean something else than when the data folder ran it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileSources, describeChange } from '../../src/config/index.ts';
import { changeToGiven } from '../../src/versions/at-start.ts';
import { PipelineVersions, type PipelineVersion, type SourceTexts } from '../../src/versions/pipeline-versions.ts';
import { FILES, PIPELINE } from '../config/pipelines.ts';
import { positionOf } from '../../src/contract/event-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'hunt-at-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ZONED = PIPELINE.replace(
  'quiet: { agg: time_since_last }',
  'today: { agg: count, window: { calendar: day, zone: America/Vancouver } }',
);

const sourcesOf = (text: string): SourceTexts => ({
  file: 'small.yaml',
  text,
  files: [
    { name: 'events.proto', importer: null, path: 'events.proto', text: FILES['events.proto'] },
    { name: 'parts.proto', importer: 'events.proto', path: 'parts.proto', text: FILES['parts.proto'] },
  ],
});

function compile(sources: SourceTexts): PipelineVersion {
  return { ...compileSources(sources), sources };
}

/** As an engine with the data of 2025 compiled it: Vancouver goes back to UTC-8 in November 2026. */
function compiledThen(sources: SourceTexts): PipelineVersion {
  const version = compile(sources);
  const zones = version.plan.zones!.map((zone) => ({
    ...zone,
    changes: [...zone.changes, Date.UTC(2026, 10, 1, 9)],
    offsets: [...zone.offsets, -8 * 3_600_000],
  }));
  const versionNumber = version.plan.versionNumber ^ 1;
  return { ...version, plan: { ...version.plan, zones, zoneData: '2025c', versionNumber } };
}

let folders = 0;

/** The reason of the deployment that the start makes, or the warning. */
async function start(ran: readonly PipelineVersion[], given: PipelineVersion): Promise<string> {
  const versions = new PipelineVersions(join(folder, String(++folders)));
  for (const [i, version] of ran.entries()) {
    versions.keep(version);
    versions.activate({
      kind: 'deploy',
      actor: '',
      reason: '',
      number: version.plan.versionNumber,
      afterEpoch: positionOf(i),
      at: 0,
    });
  }
  let said = 'nothing';
  const deployer = {
    over: async () => null,
    deploy: (_: SourceTexts, { reason }: { reason: string }) => ((said = reason), null),
  };
  const log = (_: string, text: string): void => void (said = text);
  const audit = { begin: () => 'an id', leadsTo: () => undefined, end: () => undefined };
  await changeToGiven({ deployer, versions, given, compile, audit, log }, ran.at(-1)!.plan);
  return said;
}

const GOES_ON = /goes on with the version that decided last/;

test('the file that decides is changed to where its zones mean something else today', async () => {
  const sources = sourcesOf(ZONED);
  const today = compile(sources);
  expect(today.plan.zoneData).toBe('2026f');
  expect(await start([compiledThen(sources)], today)).toBe('the same file, by zone data 2026f');
  expect(await start([today], today)).toBe('nothing');
  expect(await start([today, compiledThen(sources)], today), 'gone back to it').toMatch(GOES_ON);
});

test('a file of long ago does not come back because its zones have changed', async () => {
  const sources = sourcesOf(ZONED);
  const later = compile(sourcesOf(ZONED.replace('digs_5m > 120', 'digs_5m > 99')));
  expect(await start([compiledThen(sources), later], compile(sources))).toMatch(GOES_ON);
  expect(await start([later], compile(sources))).toBe('the server was started with this file');
});

test('a plan says which zone changes from when on, and nothing is computed anew', () => {
  const sources = sourcesOf(ZONED);
  const { class: kind, edits, features } = describeChange(compiledThen(sources).plan, compile(sources).plan);
  expect(kind).toBe('safe');
  expect(edits).toEqual([
    {
      class: 'safe',
      path: 'zone America/Vancouver',
      text: 'zone data 2025c becomes 2026f: other offsets from 2026-11-01T09:00:00.000Z on, for events from then on',
    },
  ]);
  expect(features.every(({ fate }) => fate === 'kept')).toBe(true);
});
