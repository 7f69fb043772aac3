/** The figures of all systems for people: a row a figure, a column a system, and what each of them guarantees. */

import type { BenchFigure } from '../bench.ts';

const NAME_WIDTH = 56;
const VALUE_WIDTH = 34;

export function sideBySide(figures: readonly BenchFigure[]): string {
  const systems = [...new Set(figures.map(({ parameters }) => parameters['system'] as string))];
  const names = [...new Set(figures.map(({ parameters, unit }) => `${parameters['figure'] as string}, ${unit}`))];
  const row = (name: string, cells: readonly string[]): string =>
    [name.padEnd(NAME_WIDTH), ...cells.map((cell) => cell.padStart(VALUE_WIDTH))].join('');
  const cell = (system: string, name: string): string => {
    const figure = figures.find(
      ({ parameters, unit }) =>
        parameters['system'] === system && `${parameters['figure'] as string}, ${unit}` === name,
    );
    if (figure === undefined) return '';
    const { least, most } = figure.parameters as { readonly least: number; readonly most: number };
    return `${shown(figure.value)} (${shown(least)}-${shown(most)})`;
  };
  const guarantees = systems.map((system) => {
    const figure = figures.find(({ parameters }) => parameters['system'] === system)!;
    return `${system}: ${figure.parameters['guarantee'] as string}`;
  });
  return [
    row('median of the rounds (least-most)', systems),
    ...names.map((name) =>
      row(
        name,
        systems.map((system) => cell(system, name)),
      ),
    ),
    ...guarantees,
  ].join('\n');
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });
}
