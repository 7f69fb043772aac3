/** Conditions in three-valued logic, which is ClickHouse's own for AND, OR and NOT. */

import type { Expression } from '../../plan/plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import type { SqlCode, SqlContext } from './sql-context.ts';

export function emitTruth(context: SqlContext, expression: Expression): SqlCode {
  switch (expression.node) {
    case 'constant':
      return { sql: expression.value === true ? 'true' : 'false', nullable: false };
    case 'column':
      return { sql: context.columnName(expression.column), nullable: context.column(expression.column).nullable };
    case 'call': {
      const part = FUNCTIONS[expression.operator].condition;
      if (part === undefined) throw new Error(`no condition comes of operator=${expression.operator}`);
      return part.sql(context, expression);
    }
  }
}
