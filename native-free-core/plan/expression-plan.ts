/**
 * Expressions as the plan has them: typed, resolved, plain data. Compiled by language/expression, and into SQL by
 * language/sql.
 */

/** Types of expressions. `int` is an exact integer below 2^53, or a 64-bit column (equality and keys keep all bits). */
export type ExpressionType = 'bool' | 'int' | 'double' | 'string' | 'bytes' | 'time';

export type ExpressionOperator =
  | 'neg'
  | 'not' // one operand
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod' // int with int: integer result (div and mod truncate; by 0: absent); any double: double
  | 'ratio' // floating division; absent when the divisor is 0
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or' // three-valued, as SQL
  | 'conditional' // condition, then, else; an absent condition gives absent
  | 'in' // first operand in the constants that follow, or in the one list column that follows
  | 'has' // true where the operand is present, a list not empty; never absent
  | 'in_list' // first operand in the list named by the constant that follows (`Plan.lists`)
  // Exact: ClickHouse repeats them to the last bit.
  | 'abs'
  | 'min'
  | 'max' // two or more numbers; absent where one is. From left to right, `b < a ? b : a`: of equal ones (0, -0) the first
  | 'floor'
  | 'ceil' // double to double
  | 'sqrt'
  | 'to_int' // double truncated to an integer; absent from 2^53 on
  | 'to_double'
  | 'size' // code points of a string, bytes of bytes, elements of a list
  | 'starts_with'
  | 'ends_with'
  | 'contains'
  | 'matches' // text, constant pattern: a regular expression as ClickHouse's `match` has it (language/pattern/parse-pattern.ts)
  | 'hash' // any scalar to a non-negative integer below 2^53; in base/murmur64.ts stands which SQL that is
  | 'geo_tile' // latitude, longitude, constant precision 1-12: geohashEncode(longitude, latitude, precision); absent outside ±90, ±180
  // Inexact: ClickHouse's last bit differs. Where state or a model reads them, they are stored in a computed column first.
  | 'log'
  | 'exp'
  | 'pow'
  | 'geo_distance' // latitude, longitude, latitude, longitude in degrees: metres (haversine, language/expression/runtime-geo.ts)
  // Parts of a time in the zone named by the constant that follows: stored first, too, except in UTC.
  | 'year'
  | 'month'
  | 'day_of_month'
  | 'day_of_year' // the last three from 1
  | 'weekday' // 0: Sunday, as CEL has it
  | 'hour'
  | 'minute'
  | 'second'
  | 'local_day'; // days since 1970-01-01 on the zone's own calendar
// All parts of a time are absent outside the zone's table (ZonePlan), in UTC before 1900 and from 2300 on.

export type Expression =
  | {
      readonly node: 'constant';
      readonly type: ExpressionType;
      readonly value: number | string | boolean;
      /** 64-bit integers beyond 2^53, decimal */ readonly exact?: string;
    }
  | { readonly node: 'column'; readonly type: ExpressionType; readonly column: number }
  | {
      readonly node: 'call';
      readonly type: ExpressionType;
      readonly operator: ExpressionOperator;
      readonly operands: readonly Expression[];
    };

/** An operation with its operands. */
export type Call = Extract<Expression, { node: 'call' }>;
