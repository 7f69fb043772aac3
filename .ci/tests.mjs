/**
 * Runs a script of package.json that runs vitest, and says how its tests ended: `node .ci/tests.mjs SCRIPT RESULT`. A file
 * with a failure runs once more by itself. What passes then is counted as passed and named: on a slow machine a test may fail
 * beside others, and somebody has to look at it, but it says nothing of the change. Writes to RESULT: one line
 * `passed failed`, then what is to be read at the end. Used by .ci/run.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const MESSAGE_LENGTH_MAX = 400;
/** More than these are no accident of a slow machine. */
const FILES_AGAIN_MAX = 12;

const [script, resultFile] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'hunt-ci-'));

/** What failed, by the place and name of the test; a file that could not run is one failure. `files`: run these only. */
function run(files) {
  const reportFile = join(folder, 'report.json');
  rmSync(reportFile, { force: true });
  const alone = files.length > 0 ? [...files, '--maxWorkers=1'] : [];
  const words = ['run', script, '--', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const { status } = spawnSync('npm', [...words, ...alone], { stdio: 'inherit' });
  const failed = new Map();
  let passed = 0;
  try {
    const report = JSON.parse(readFileSync(reportFile, 'utf8'));
    passed = report.numPassedTests;
    for (const { name, status: ofFile, message, assertionResults } of report.testResults) {
      const file = relative('.', name);
      const tests = assertionResults.filter((test) => test.status === 'failed');
      for (const test of tests)
        failed.set(`${file}: ${test.fullName}`, { file, message: test.failureMessages[0] ?? '' });
      if (tests.length === 0 && ofFile === 'failed') failed.set(`${file}: the file`, { file, message });
    }
  } catch (error) {
    failed.set(`${script}: its report`, { file: null, message: String(error) });
  }
  if (status !== 0 && failed.size === 0)
    failed.set(`${script}: its end`, { file: null, message: `exit code ${status}` });
  return { passed, failed };
}

const indented = (message) => message.slice(0, MESSAGE_LENGTH_MAX).trim().replaceAll('\n', '\n    ');
const first = run([]);
const files = [...new Set([...first.failed.values()].map(({ file }) => file))];
const isAgain = files.length > 0 && files.length <= FILES_AGAIN_MAX && !files.includes(null);
const failed = isAgain ? run(files).failed : first.failed;
const flaky = [...first.failed].filter(([name]) => !failed.has(name));
const lines = [
  `${first.passed + flaky.length} ${failed.size}`,
  ...[...failed].map(([name, { message }]) => `failed: ${name}\n    ${indented(message)}`),
  ...flaky.map(([name, { message }]) => `failed beside others and passed alone: ${name}\n    ${indented(message)}`),
];
writeFileSync(resultFile, `${lines.join('\n')}\n`);
rmSync(folder, { recursive: true });
