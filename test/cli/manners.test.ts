/**
 * What people expect of any command line: help in two ways, no colours into pipes, exit code 2 for a wrong command line,
 * completion.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { indexText } from '../../src/ingress/http-index.ts';
import { ROUTES } from '../../src/ingress/routes.ts';
import { hunt, temporaryFolder } from '../e2e/server.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const ESCAPE = String.fromCharCode(27);

test('hunt help COMMAND is hunt COMMAND --help, without colours in a pipe', async () => {
  const [one, other] = await Promise.all([hunt(['help', 'send']), hunt(['send', '--help'])]);
  expect(one.code).toBe(0);
  expect(one.stdout).toBe(other.stdout);
  expect(one.stdout).toContain('--events-per-frame');
  expect(one.stdout).not.toContain(ESCAPE);
  const unknown = await hunt(['help', 'sned']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('did you mean send?');
});

describe('a bad option value ends with 2 and one line that names it', () => {
  const cases: readonly (readonly [name: string, args: readonly string[]])[] = [
    ['workers=0', ['serve', '--workers', '0']],
    ['ingresses=9', ['serve', '--ingresses', '9']],
    ['spool-max=none', ['serve', '--spool-max', 'none']],
    ['batch-age=1', ['serve', '--batch-age', '1']],
    ['log-level=loud', ['serve', '--log-level', 'loud']],
    ['log-format=xml', ['serve', '--log-format', 'xml']],
    ['workers=17', ['plan', '--workers', '17']],
    ['duration=soon', ['load', '--duration', 'soon']],
    ['shell=tcsh', ['completion', 'tcsh']],
  ];
  test.each(cases)('%s', async (named, args) => {
    const { code, stdout, stderr } = await hunt(args);
    expect(stderr).toContain(named);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
  });
});

test('completion knows every command and its options, in a real bash', async () => {
  const { stdout } = await hunt(['completion', 'bash']);
  const file = join(folder.path, 'hunt.bash');
  writeFileSync(file, stdout);
  const complete = (...words: string[]): string[] =>
    execFileSync('bash', [
      '-c',
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hunt; printf "%s\n" "${COMPREPLY[@]}"',
      'bash',
      file,
      ...words,
    ])
      .toString()
      .trim()
      .split('\n');
  expect(complete('hunt', '')).toEqual([...Object.keys(COMMANDS), 'help']);
  expect(complete('hunt', 'se')).toEqual(['serve', 'send']);
  expect(complete('hunt', 'serve', '--clickhouse')).toEqual(['--clickhouse-listen', '--clickhouse']);
});

test.each(['zsh', 'fish'])('completion for %s names every command', async (shell) => {
  const { code, stdout } = await hunt(['completion', shell]);
  expect(code).toBe(0);
  for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(name);
});

test('GET / names every route with its scope', () => {
  const text = indexText('some game');
  for (const { method, path, scope } of ROUTES)
    expect(text).toMatch(new RegExp(`${method} +${path.replace(/[{}/.]/g, '\\$&')} +${scope}`));
});

describe('nothing on a command line is passed over', () => {
  const cases: readonly (readonly [message: string, args: readonly string[]])[] = [
    ['surplus arguments: "b" "c"; hunt check takes file only', ['check', 'a', 'b', 'c']],
    ['surplus arguments: "d"; hunt lists takes action, name, file only', ['lists', 'replace', 'a', 'b', 'd']],
    ['surplus arguments: "x"; hunt demo takes no such arguments', ['demo', 'x']],
    ['surplus arguments: "b"', ['check', '--', 'a', 'b']],
    ['option given twice: --url', ['plan', '--url', 'http://a', '--url=http://b']],
    ['option given twice: --json', ['audit', '--json', '--no-json']],
    ['option --url of hunt sql needs a value', ['sql', 'SELECT 1', '--url']],
    ['option --url of hunt send needs a value', ['send', 'a', '--url', '--json']],
    ['unknown option --alow-rejected of hunt send; did you mean allow-rejected?', ['send', 'a', '--alow-rejected']],
    ['hunt help takes one command', ['help', 'send', 'check']],
  ];
  test.each(cases)('%s', async (message, args) => {
    const { code, stdout, stderr } = await hunt(args);
    expect(stderr).toContain(message);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
  });

  test('every command refuses what it does not take', async () => {
    for (const [name, { load, takesMany }] of Object.entries(COMMANDS)) {
      const positionals = Object.values((await (await load()).args) ?? {}).filter(({ type }) => type === 'positional');
      const words = Array.from({ length: positionals.length + 1 }, (_, i) => `word${i}`);
      if (takesMany === true) continue;
      const { code, stderr } = await hunt([name, ...words]);
      expect([name, code, stderr]).toEqual([name, 2, expect.stringContaining(`surplus arguments: "${words.at(-1)}"`)]);
    }
  });
});
