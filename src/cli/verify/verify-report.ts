/** A verification as text. */

import type { EntityReport, FeatureReport, VerifyReport } from './run-verify.ts';

export function describeReport(report: VerifyReport): string {
  const width = Math.max(0, ...report.features.map(({ feature }) => feature.length));
  const lines = [
    `${report.rows} rows of ${report.pipeline}, version ${report.version}`,
    '',
    ...report.features.flatMap((feature) => featureLines(feature, width)),
    '',
    ...report.entities.flatMap(entityLines),
    '',
  ];
  const wrong = report.features.filter(({ different }) => different > 0).length;
  lines.push(
    report.same
      ? `the same to the last bit: ${report.features.length} features, in ${report.seconds} s`
      : `NOT the same: ${wrong} of ${report.features.length} features differ, in ${report.seconds} s`,
  );
  return lines.join('\n');
}

function featureLines(report: FeatureReport, width: number): string[] {
  const { feature, rows, equal, different, stray, example, event_time_different: skew } = report;
  const others = skew === null ? '' : `  (by event time: ${skew})`;
  const line = `${feature.padEnd(width)}  rows ${rows}  equal ${equal}  different ${different}${others}`;
  const strays = stray === 0 ? [] : [`  ${stray} of them on rows that do not have the entity`];
  if (example === null) return [line, ...strays];
  const { key, life, seq, log, batch, row, stored, recomputed } = example;
  return [
    line,
    ...strays,
    `  first: key=${key} life=${life} seq=${seq} _log=${log} _batch=${batch} _row=${row} stored=${stored ?? 'NULL'} recomputed=${recomputed ?? 'NULL'}`,
  ];
}

function entityLines({ entity, rows, misnumbered, misplaced, example }: EntityReport): string[] {
  if (example === null) return [`${entity}: ${rows} rows, numbered 1, 2, 3, … in every life`];
  const { key, life, seq, expected, log, batch, row } = example;
  return [
    `${entity}: ${rows} rows, ${misnumbered} out of number (a row is missing, twice there, or misnumbered), ${misplaced} out of place (older than the row before it)`,
    `  first: key=${key} life=${life} seq=${seq} expected=${expected} _log=${log} _batch=${batch} _row=${row}`,
  ];
}
