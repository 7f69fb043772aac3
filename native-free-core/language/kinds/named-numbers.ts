/** Kinds whose numbers ClickHouse stores as names: from the number to the name and back. */

import type { ColumnPlan } from '../../plan/plan.ts';
import { textLiteral } from '../sql/sql-literal.ts';

type Names = readonly (readonly [number, string])[];

export const noNames = (): null => null;

/** SQL for the number of what is stored. An unknown enum number is stored as its decimal text. */
export function numberOfName(names: Names, { nullable }: ColumnPlan, name: string): string {
  const texts = names.map(([, text]) => textLiteral(text)).join(', ');
  const codes = names.map(([code]) => `${code}`).join(', ');
  const type = nullable ? 'Nullable(Int64)' : 'Int64';
  const text = `CAST(${name}, '${nullable ? 'Nullable(String)' : 'String'}')`;
  const otherwise = nullable ? `toInt32OrNull(${text})` : `toInt32OrZero(${text})`;
  if (names.length === 0) return otherwise;
  return `CAST(transform(${text}, [${texts}], CAST([${codes}], 'Array(Int32)'), ${otherwise}), '${type}')`;
}
