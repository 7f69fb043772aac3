/** `in`: constants, a repeated field, or a named list. */

import type { Expression } from '../../plan/plan.ts';
import { isLabelled, storedName } from './column.ts';
import { comparison, EXACT_LIMIT, typedNull, type SqlCode, type SqlContext } from './context.ts';
import { doubleLiteral, integerLiteral, textLiteral } from './literal.ts';
import { asDouble, emitOperand, present } from './operands.ts';
import { comparableText } from './text.ts';

type Call = Extract<Expression, { node: 'call' }>;
type Constant = Extract<Expression, { node: 'constant' }>;

const NEVER: SqlCode = { sql: typedNull('Bool'), nullable: true };

export function emitMembership(context: SqlContext, { operator, operands }: Call): SqlCode {
  const [value, first] = operands as readonly [Expression, Expression];
  if (operator === 'in_list') return amongEntries(context, value, String((first as Constant).value));
  if (first.node === 'column') return inColumn(context, value, first.column);
  return amongConstants(context, value, operands.slice(1) as readonly Constant[]);
}

/** The entries as the plan has them; while the engine runs the list may be replaced, so what was asked is stored. */
function amongEntries(context: SqlContext, value: Expression, name: string): SqlCode {
  const entries = context.listEntries(name);
  const text = value.type === 'string' || value.type === 'bytes';
  const code = text ? comparableText(context, value) : context.number(value);
  const literals = entries.map((entry) => (text ? textLiteral(entry) : integerLiteral(BigInt(entry))));
  return among(code, literals);
}

function among(code: SqlCode, literals: readonly string[]): SqlCode {
  if (literals.length > 0) return comparison(`(${code.sql} IN (${literals.join(', ')}))`, code);
  return code.nullable
    ? { sql: `if(isNull(${code.sql}), NULL, false)`, nullable: true }
    : { sql: 'false', nullable: false };
}

function amongConstants(context: SqlContext, value: Expression, members: readonly Constant[]): SqlCode {
  if (value.type === 'string' || value.type === 'bytes') {
    return among(
      comparableText(context, value),
      members.map((member) => textLiteral(String(member.value))),
    );
  }
  if (value.type === 'bool') {
    const code = context.truth(value);
    return among(
      code,
      members.map((member) => String(member.value)),
    );
  }
  if (value.node === 'column' && isLabelled(context.column(value.column))) {
    const plan = context.column(value.column);
    const names = members.map((member) => storedName(plan, BigInt(member.exact ?? member.value)));
    return among({ sql: context.columnName(value.column), nullable: plan.nullable, lowCardinality: true }, names);
  }
  return amongNumbers(context, value, members);
}

function amongNumbers(context: SqlContext, value: Expression, members: readonly Constant[]): SqlCode {
  const doubles = value.type === 'double' || members.some((member) => member.type === 'double');
  if (!doubles) {
    return among(
      context.number(value),
      members.map((member) => integerLiteral(BigInt(member.exact ?? member.value))),
    );
  }
  // Beside doubles an integer beyond 2^53 has no answer.
  if (members.some((member) => member.type !== 'double' && isWide(member))) return NEVER;
  const code = emitOperand(context, value);
  // IN compares doubles by their bits, which tells -0 from 0.
  const literals = members.map((member) => doubleLiteral(Number(member.value) + 0));
  return among({ sql: `(${asDouble(code)} + 0.0)`, nullable: code.nullable }, literals);
}

function isWide({ value, exact }: Constant): boolean {
  const integer = BigInt(exact ?? value);
  return integer >= BigInt(EXACT_LIMIT) || integer <= -BigInt(EXACT_LIMIT);
}

function inColumn(context: SqlContext, value: Expression, index: number): SqlCode {
  const plan = context.column(index);
  const name = context.columnName(index);
  if (value.node === 'constant' && isLabelled(plan)) {
    return { sql: `has(${name}, ${storedName(plan, BigInt(value.exact ?? value.value))})`, nullable: false };
  }
  const code = soughtValue(context, value, plan.kind === 'f32' || plan.kind === 'f64');
  const found = (sought: string): string => `arrayExists(_e -> ifNull(_e = ${sought}, false), ${name})`;
  if (!code.nullable) return { sql: context.bind(code.sql, found), nullable: false };
  const search = (sought: string): string => `if(isNull(${sought}), NULL, ${found(sought)})`;
  return { sql: context.bind(code.sql, search), nullable: true };
}

function soughtValue(context: SqlContext, value: Expression, amongDoubles: boolean): SqlCode {
  if (value.type === 'string' || value.type === 'bytes') return context.text(value);
  return amongDoubles ? emitOperand(context, value) : present(context, context.number(value));
}
