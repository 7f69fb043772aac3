/** `hunt check`: what it prints and how it ends. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from 'citty';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkCommand } from '../../src/cli/check.ts';
import { changed, FILES, PIPELINE } from './pipelines.ts';

let folder = '';
let output = '';
let errors = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hunt-check-'));
  output = '';
  errors = '';
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((output += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

async function check(text: string, ...options: string[]): Promise<{ file: string; code: typeof process.exitCode }> {
  const file = join(folder, 'pipeline.yaml');
  writeFileSync(file, text);
  await runCommand(checkCommand, { rawArgs: [file, ...options] });
  return { file, code: process.exitCode };
}

test('a right pipeline is explained', async () => {
  expect((await check(PIPELINE)).code).toBeUndefined();
  expect(output).toContain('entity player, primary: key event.player_id; at most 2000000, forgotten after 30d');
  expect(output).toMatch(/digs_1m +count +1m +30 hops of 2s/);
  expect(output).toMatch(/digger +challenge +player.digs_5m > 120/);
  expect(output).toContain('no problems');
});

test('problems are printed one a line and end with code 1', async () => {
  const { file, code } = await check(changed('player.digs_5m', 'player.digz_5m'));
  expect(code).toBe(1);
  expect(errors).toBe(`${file}:28:30 unknown feature: player.digz_5m (did you mean player.digs_5m?)\n1 problem\n`);
});

test('--json gives the plan or the problems', async () => {
  await check(PIPELINE, '--json');
  expect(JSON.parse(output)).toMatchObject({ valid: true, plan: { pipeline: 'small' } });
  output = '';
  await check(changed('ttl: 30d', 'ttl: 30 days'), '--json');
  expect(JSON.parse(output)).toMatchObject({ valid: false, problems: [{ line: 13, path: 'entities.player.ttl' }] });
});

test('--schema prints a JSON Schema', async () => {
  await runCommand(checkCommand, { rawArgs: ['--schema'] });
  expect(JSON.parse(output)).toMatchObject({ type: 'object', title: 'Treasure Hunt Engine pipeline' });
});

test('a file that is not there is an operating error', async () => {
  await expect(runCommand(checkCommand, { rawArgs: [join(folder, 'nothing.yaml')] })).rejects.toMatchObject({
    code: 'pipeline_unreadable',
  });
});
