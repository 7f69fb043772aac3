/**
 * What is wrong with a pipeline file: every problem with its line and column, gathered and thrown together, so that
 * one run of `hunt check` shows them all.
 */

import { OperatingError } from '../errors.ts';
import type { PipelineSources } from './pipeline-sources.ts';
import type { Path, PipelineSource } from './source.ts';
import type { Problem } from './source.ts';

export class PipelineError extends OperatingError {
  readonly file: string;
  readonly problems: readonly Problem[];
  /** What had been read of the file and those that it names; null: it did not come from the disk. */
  readonly sources: PipelineSources | null;

  constructor(file: string, problems: readonly Problem[], sources: PipelineSources | null = null) {
    super('pipeline_invalid', problems.map((problem) => problemText(file, problem)).join('\n'));
    this.name = 'PipelineError';
    this.file = file;
    this.problems = problems;
    this.sources = sources;
  }
}

export function problemText(file: string, problem: Problem): string {
  const hint = problem.suggestion === undefined ? '' : ` (did you mean ${problem.suggestion}?)`;
  return `${file}:${problem.line}:${problem.column} ${problem.message}${hint}`;
}

export interface Problems {
  readonly list: Problem[];
  /** At a value. */
  add(path: Path, message: string, suggestion?: string): void;
  /** At the key of a value. */
  addAtKey(path: Path, message: string, suggestion?: string): void;
  /** At a character within the text at a path. */
  addInText(path: Path, index: number, message: string, suggestion?: string): void;
}

export function gatherProblems(source: PipelineSource): Problems {
  const list: Problem[] = [...source.syntax];
  const add = (offset: number, path: Path, message: string, suggestion?: string): void => {
    const problem = { ...source.positionOf(offset), path: path.join('.'), message };
    list.push(suggestion === undefined ? problem : { ...problem, suggestion });
  };
  return {
    list,
    add: (path, message, suggestion) => add(source.offsetOf(path), path, message, suggestion),
    addAtKey: (path, message, suggestion) => add(source.keyOffsetOf(path), path, message, suggestion),
    addInText: (path, index, message, suggestion) => add(source.textOffsetOf(path, index), path, message, suggestion),
  };
}

/** In the order of the file, each once. */
export function sortedProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const key = problemText('', problem);
      return !seen.has(key) && seen.add(key);
    });
}
