/** `hunt demo --exit`: plays a little, shows everything, and ends well only because the account balances. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hunt, root, until } from '../../e2e/server.ts';

test('--exit: decisions, answers in SQL, an explanation, the account, and code 0', async () => {
  const { code, stdout, stderr } = await hunt(['demo', '--exit', '--seconds', '5']);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/player \d+ after \w+: (hint|challenge) /);
  expect(stdout).toMatch(/What was decided, and by which rules\?\n/);
  expect(stdout).toMatch(/by the rule \w+:/);
  expect(stdout).toMatch(/received [1-9]\d* = accepted/);
  expect(stdout).toMatch(/exactly once/);
});

test('stays up until Ctrl-C: the printed curl line works as it stands, and the temporary folder goes', async () => {
  const child = spawn(process.execPath, [join(root, 'dist', 'src', 'main.js'), 'demo', '--seconds', '2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  try {
    await until(() => text.includes('Ctrl-C ends it'), `the end of the demo's output:\n${text}`, 50_000);
    const line = /^ *(curl .*)$/m.exec(text)![1];
    const answer = await new Promise<string>((done) => {
      let output = '';
      const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
      shell.stdout.setEncoding('utf8').on('data', (more: string) => (output += more));
      shell.once('close', () => done(output));
    });
    expect(JSON.parse(answer)).toMatchObject({
      status: 'OK',
      events: 1,
      rejections: [],
      decisions: [{ trust: 'allow' }],
    });
    const folder = /(\/\S*hunt-demo-\w+)/.exec(text)![1];
    expect(existsSync(folder)).toBe(true);
    process.kill(-child.pid!, 'SIGINT');
    expect(await exited).toBe(0);
    expect(existsSync(folder)).toBe(false);
  } finally {
    child.kill('SIGKILL');
  }
});
