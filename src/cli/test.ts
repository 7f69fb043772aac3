/**
 * `hunt test FILE`: runs the `tests:` of a pipeline through the real core, with the events' own clock, without a server or
 * ClickHouse. Ends with code 1 where one fails.
 */

import { defineCommand } from 'citty';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { loadPipelineFile, PipelineError } from '../config/index.ts';
import { OperatingError } from '../errors.ts';
import { defaultPipeline } from '../config/default-pipeline.ts';
import type { ExplainedValue } from '../contract/explanation.ts';
import { writeWarnings } from './pipeline-warnings.ts';
import { runTest, type Failure, type TestResult } from './test/run-test.ts';
import { jsonOption } from './options.ts';

export interface TestReport {
  readonly file: string;
  readonly pipeline: string;
  readonly version: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly tests: readonly TestResult[];
}

export const testCommand = defineCommand({
  args: {
    file: { type: 'positional', required: false, description: 'Pipeline file (default: the example game)' },
    ...jsonOption('Print the results as one JSON object'),
  },
  async run({ args }) {
    const file = args.file ?? defaultPipeline();
    try {
      const report = await runTests(file);
      process.stdout.write(`${args.json ? JSON.stringify(report, null, 2) : testReportText(report)}\n`);
      if (report.failed > 0 || report.tests.length === 0) process.exitCode = 1;
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      if (args.json)
        process.stdout.write(`${JSON.stringify({ file: error.file, problems: error.problems }, null, 2)}\n`);
      else process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
  },
});

export async function runTests(file: string): Promise<TestReport> {
  const begun = performance.now();
  const { plan, importMap, tests, warnings, pathOf } = await loadPipelineFile(file);
  writeWarnings(warnings);
  const results = tests.map((test) => runTest({ plan, importMap }, test, readLines(pathOf(test.events), test.name)));
  const failed = results.filter((result) => !result.passed).length;
  return {
    file,
    pipeline: plan.pipeline,
    version: plan.version,
    passed: results.length - failed,
    failed,
    seconds: Number(((performance.now() - begun) / 1000).toFixed(3)),
    tests: results,
  };
}

function readLines(path: string, test: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (cause) {
    throw new OperatingError(
      'events_unreadable',
      `cannot read the events of a test: test=${test} file=${path}; check the path`,
      { cause },
    );
  }
}

export function testReportText(report: TestReport): string {
  const file = relative(process.cwd(), report.file) || report.file;
  const lines = report.tests.flatMap((result) => (result.passed ? passedLines(result) : failedLines(file, result)));
  const all = report.tests.length;
  if (all === 0) lines.push(`${file} has no tests: write some under tests:`);
  else lines.push(`${report.passed} of ${all} ${all === 1 ? 'test' : 'tests'} passed in ${report.seconds} s`);
  return lines.join('\n');
}

function passedLines(result: TestResult): string[] {
  return [
    `ok    ${result.name} (${result.events} events, ${result.expectations} expectations)`,
    ...refusedLines(result),
  ];
}

function failedLines(file: string, result: TestResult): string[] {
  const failures = result.failures.flatMap((failure) => failureLines(file, failure));
  return [`FAIL  ${result.name} (${file}:${result.line})`, ...failures, ...refusedLines(result)];
}

function refusedLines(result: TestResult): string[] {
  return [
    ...result.refused.map(({ line, reason }) => `      not stored: line ${line} of the events, ${reason}`),
    ...result.unknown.map(({ line, reason }) => `      left out: line ${line} of the events, ${reason}`),
  ];
}

function failureLines(file: string, failure: Failure): string[] {
  const head = `      at ${failure.at} (${file}:${failure.line})${failure.reason === '' ? '' : `: ${failure.reason}`}`;
  const width = Math.max(0, ...failure.mismatches.map(({ what }) => what.length));
  const wrong = failure.mismatches.map(
    ({ what, expected, got }) =>
      `        ${what.padEnd(width)}  expected ${valueText(expected)}, got ${valueText(got)}`,
  );
  return [head, ...wrong, ...featureLines(failure.features)];
}

function featureLines(features: Failure['features']): string[] {
  const entries = Object.entries(features ?? {});
  if (entries.length === 0) return [];
  const width = Math.max(...entries.map(([name]) => name.length));
  return [
    '        the features of this event:',
    ...entries.map(([name, value]) => `          ${name.padEnd(width)}  ${valueText(value)}`),
  ];
}

function valueText(value: ExplainedValue): string {
  if (value === null) return 'absent';
  if (typeof value === 'object') return JSON.stringify(value);
  return value === '' ? 'nothing' : String(value);
}
