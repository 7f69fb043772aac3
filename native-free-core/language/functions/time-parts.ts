/**
 * Parts of a time: hour, weekday, local day and the like, in UTC or in a zone of the plan. The offset is taken from the
 * plan's table, since ClickHouse's own tables may be of another year. A part is absent outside the table, in UTC before 1900
 * and from 2300 on, which is ClickHouse's range of dates, too.
 */

import { DAY_MS } from '../../base/time.ts';
import { UTC_TIME_END, UTC_TIME_START, ZONE_TIME_END, ZONE_TIME_START } from '../../layout/limits.ts';
import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import type { Argument, CallSite } from './call-site.ts';
import type { NumberFunction, WrittenForm } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction, methodPhrase } from './phrase.ts';
import { call, kindText, type Typed } from './typed.ts';

const UTC = 'UTC';

interface TimePart {
  readonly bound: number;
  /** From local time and local day, both JavaScript names. */
  kernel(local: string, day: string): string;
  /** From local time, ms. */
  sql(local: string): string;
  readonly methods: readonly Method[];
}

interface Method {
  readonly name: string;
  readonly isLessOne?: true;
  readonly meaning: string;
  /** Of 2024-12-31T23:59:58Z, a Tuesday. */
  readonly value: string;
}

/** Within a day the remainder is never negative, so it may be divided as it is. */
const withinDay = (local: string, day: string, unitMs: number): string =>
  `Math.floor((${local} - ${day} * ${DAY_MS}) / ${unitMs})`;

const dayOf = (local: string): string => `toInt64(floor(${local} / ${DAY_MS}))`;
const dateOf = (local: string): string => `toDate32(toInt32(floor(${local} / ${DAY_MS})))`;
const within = (local: string, wholeMs: number, unitMs: number): string =>
  `toInt64(intDiv(positiveModulo(${local}, ${wholeMs}), ${unitMs}))`;

export const year = timePart('year', {
  bound: 2300,
  kernel: (_, day) => `$yearOf(${day})`,
  sql: (local) => `toInt64(toYear(${dateOf(local)}))`,
  methods: [{ name: 'getFullYear', meaning: 'The year.', value: '2024' }],
});

export const month = timePart('month', {
  bound: 12,
  kernel: (_, day) => `$monthOf(${day})`,
  sql: (local) => `toInt64(toMonth(${dateOf(local)}))`,
  methods: [{ name: 'getMonth', isLessOne: true, meaning: 'The month from 0, as CEL counts it.', value: '11' }],
});

export const dayOfMonthFunction = timePart('day_of_month', {
  bound: 31,
  kernel: (_, day) => `$dayOfMonth(${day})`,
  sql: (local) => `toInt64(toDayOfMonth(${dateOf(local)}))`,
  methods: [
    { name: 'getDate', meaning: 'The day of the month from 1.', value: '31' },
    { name: 'getDayOfMonth', isLessOne: true, meaning: 'The day of the month from 0, as CEL counts it.', value: '30' },
  ],
});

export const dayOfYearFunction = timePart('day_of_year', {
  bound: 366,
  kernel: (_, day) => `$dayOfYear(${day})`,
  sql: (local) => `toInt64(toDayOfYear(${dateOf(local)}))`,
  methods: [{ name: 'getDayOfYear', isLessOne: true, meaning: 'The day of the year from 0.', value: '365' }],
});

export const weekday = timePart('weekday', {
  bound: 6,
  // 1970-01-01 was a Thursday. The remainder of a negative day lies between -6 and 0.
  kernel: (_, day) => `((${day} % 7 + 11) % 7)`,
  sql: (local) => `toInt64(positiveModulo(${dayOf(local)} + 4, 7))`,
  methods: [{ name: 'getDayOfWeek', meaning: 'The day of the week: 0 is Sunday.', value: '2' }],
});

export const hour = timePart('hour', {
  bound: 23,
  kernel: (local, day) => withinDay(local, day, 3_600_000),
  sql: (local) => within(local, DAY_MS, 3_600_000),
  methods: [{ name: 'getHours', meaning: 'The hour.', value: '23' }],
});

export const minute = timePart('minute', {
  bound: 59,
  kernel: (local, day) => `(${withinDay(local, day, 60_000)} % 60)`,
  sql: (local) => within(local, 3_600_000, 60_000),
  methods: [{ name: 'getMinutes', meaning: 'The minute.', value: '59' }],
});

export const second = timePart('second', {
  bound: 59,
  kernel: (local, day) => `(${withinDay(local, day, 1000)} % 60)`,
  sql: (local) => within(local, 60_000, 1000),
  methods: [{ name: 'getSeconds', meaning: 'The second.', value: '58' }],
});

/** For calendar windows alone. */
export const localDay = timePart('local_day', {
  bound: UTC_TIME_END / DAY_MS,
  kernel: (_, day) => day,
  sql: dayOf,
  methods: [],
});

function timePart(operator: ExpressionOperator, part: TimePart): NumberFunction {
  const named = part.methods.find(({ isLessOne }) => isLessOne !== true);
  return {
    written: part.methods.map((method) => writtenForm(operator, method)),
    repeats: 'zoned',
    number: {
      kernel: (context, of) => emitKernel(context, of, part),
      sql: (context, of) => emitSql(context, of, part),
    },
    phrase: (of, writer) =>
      named === undefined
        ? calledFunction(operator)(of, writer)
        : methodPhrase(named.name, withoutUtc(of.operands), writer),
  };
}

function writtenForm(operator: ExpressionOperator, { name, meaning, value, isLessOne }: Method): WrittenForm {
  return {
    name,
    form: 'method',
    check: (site) => check(site, name, operator, isLessOne === true),
    documentation: {
      syntax: `time.${name}('Europe/Berlin')`,
      meaning,
      example: [`timestamp('2024-12-31T23:59:58Z').${name}()`, value],
    },
    ...(isLessOne === true ? { isLessOne } : {}),
  };
}

/** UTC is what a part of a time is in when no zone is named. */
export function withoutUtc(operands: readonly Expression[]): readonly Expression[] {
  return operands.filter((zone) => zone.node !== 'constant' || zone.value !== UTC);
}

/** The arguments: the time, and perhaps a zone. */
function check(site: CallSite, name: string, operator: ExpressionOperator, isLessOne: boolean): Typed | null {
  const [time, zone] = site.arguments;
  if (time === undefined || site.arguments.length > 2)
    return site.refuse(`${name} takes a zone or nothing: event.time.${name}('Europe/Berlin')`);
  const of = time.check();
  const zoneName = zone === undefined ? UTC : checkZone(site, zone);
  if (of === null || zoneName === null) return null;
  if (of.expression.type !== 'time' || of.list === true)
    return time.refuse(`${name} is for times, this is ${kindText(of)}`);
  const part = call('int', operator, [of.expression, { node: 'constant', type: 'string', value: zoneName }]);
  return { expression: isLessOne ? call('int', 'sub', [part, { node: 'constant', type: 'int', value: 1 }]) : part };
}

function checkZone(site: CallSite, { literalText, refuse }: Argument): string | null {
  if (literalText === null) return refuse(`a time zone is a name in quotes: 'Europe/Berlin'`);
  const problem = literalText === UTC ? null : site.useZone(literalText);
  return problem === null ? literalText : refuse(problem.message, problem.suggestion);
}

/** '': UTC, which needs no table. */
function zoneOf({ operands: [, zone] }: Call): string {
  return zone?.node === 'constant' && zone.value !== UTC ? String(zone.value) : '';
}

function emitKernel(context: EmitContext, of: Call, part: TimePart): NumberCode {
  const time = kernel.emitOperand(context, of.operands[0]);
  const zone = zoneOf(of);
  const at = context.named(time.value);
  const isUtc = zone === '';
  const [start, end] = isUtc ? [UTC_TIME_START, UTC_TIME_END] : [ZONE_TIME_START, ZONE_TIME_END];
  const local = isUtc ? at : context.named(`(${at} + $zoneOffset(${context.access.zone(zone)}, ${at}))`);
  const day = context.named(`Math.floor(${local} / ${DAY_MS})`);
  const outside = `!(${at} >= ${start} && ${at} < ${end})`;
  return kernel.integerCode(part.kernel(local, day), [...time.absent, outside], part.bound);
}

function emitSql(context: SqlContext, of: Call, part: TimePart): SqlNumber {
  const time = sql.emitOperand(context, of.operands[0]).sql;
  const zone = zoneOf(of);
  const local = zone === '' ? between(time, UTC_TIME_START, UTC_TIME_END) : zoneLocal(context, time, zone);
  return sql.integerCode(part.sql(local), true, part.bound);
}

/** NULL outside. Wherever a NULL goes through `least` and `greatest`, it comes out as NULL. */
function between(time: string, start: number, end: number): string {
  const [below, above] = [`toInt64(${start - 1})`, `toInt64(${end})`];
  return `nullIf(nullIf(least(greatest(${time}, ${below}), ${above}), ${above}), ${below})`;
}

function zoneLocal(context: SqlContext, time: string, name: string): string {
  const { changes, offsets } = context.zone(name);
  const inside = between(time, ZONE_TIME_START, ZONE_TIME_END);
  if (changes.length === 0) return `(${inside} + ${offsets[0] ?? 0})`;
  const passed = (at: string): string => `arrayCount(_c -> ifNull(_c <= ${at}, false), [${changes.join(', ')}])`;
  return context.bind(inside, (at) => `(${at} + [${offsets.join(', ')}][1 + ${passed(at)}])`);
}
