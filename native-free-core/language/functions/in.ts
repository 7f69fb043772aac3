/**
 * `x in [1, 2]`, `x in event.tags`, `x in list.vips`: the checker tells constants and repeated fields from lists of keys.
 */

import { EXACT_LIMIT } from '../exact-limit.ts';
import { argumentsOf, constantText, testKernel, type Test } from '../expression/condition.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import { guarded } from '../expression/operand.ts';
import { isWide, KINDS } from '../kinds/index.ts';
import { isLabelled, storedName } from '../sql/sql-column.ts';
import { comparison, typedNull, type SqlCode, type SqlContext } from '../sql/sql-context.ts';
import { doubleLiteral, integerLiteral, textLiteral } from '../sql/sql-literal.ts';
import { asDouble, comparableText, emitOperand, present } from '../sql/operands.ts';
import type { Expression } from '../../plan/plan.ts';
import type { Argument, CallSite } from './call-site.ts';
import { memberTyped } from './comparable.ts';
import { equals } from './comparison.ts';
import type { ConditionFunction } from './function.ts';
import { listed, RELATION, SUM } from './phrase.ts';
import { call, kindText, type Typed } from './typed.ts';

type Constant = Extract<Expression, { node: 'constant' }>;

const NEVER: SqlCode = { sql: typedNull('Bool'), nullable: true };

export const inMembers: ConditionFunction = {
  written: [
    {
      name: 'in',
      form: 'operator',
      check,
      documentation: {
        syntax: 'x in [1, 2]',
        meaning:
          'Whether x is one of the constants in brackets, of the elements of a repeated field (`x in event.tags`), or of the keys of a list (`x in list.vips`), which is replaced while the engine runs.',
        example: ['2 in [1, 2, 3]', 'true'],
      },
    },
  ],
  repeats: 'exact',
  condition: {
    ...testKernel((context, { operands: [value, ...members] }) => emitMembership(context, value, members)),
    sql: (context, { operands: [value, ...members] }) =>
      members[0].node === 'column'
        ? inColumn(context, value, members[0].column)
        : amongConstants(context, value, members as readonly Constant[]),
  },
  phrase: ({ operands }, writer) => {
    const [value, ...members] = writer.labelled(operands);
    const among = members[0].node === 'constant' ? `[${listed(members, writer)}]` : writer.write(members[0], SUM);
    return [`${writer.write(value, SUM)} in ${among}`, RELATION];
  },
};

/** `in list.<name>`: the name is the constant behind the value. */
export const inList: ConditionFunction = {
  written: [],
  repeats: 'list',
  condition: {
    ...testKernel((context, { operands: [value, name] }) => emitInList(context, value, constantText(name))),
    sql: (context, { operands: [value, name] }) => amongEntries(context, value, constantText(name)),
  },
  phrase: ({ operands: [value, name] }, { write }) => [`${write(value, SUM)} in list.${constantText(name)}`, RELATION],
};

function check({ arguments: [left, right], ...site }: CallSite): Typed | null {
  const value = left.check();
  const [prefix, ...names] = right.path ?? [];
  if (prefix === 'list') return checkKeyList(site, left, value, right, names.join('.'));
  if (right.elements === null) {
    const list = right.check();
    if (value === null || list === null) return null;
    if (list.list !== true) return right.refuse('on the right of in stands a list such as [1, 2], or a repeated field');
    return memberTyped(value, [list], {
      value: left.refuse,
      member: (_, message, suggestion) => right.refuse(message, suggestion),
    });
  }
  if (right.elements.length === 0) return right.refuse('nothing is in an empty list');
  const members = right.elements.map(checkMember);
  if (value === null || members.some((member) => member === null)) return null;
  return memberTyped(value, members as Typed[], {
    value: left.refuse,
    member: (i, message, suggestion) => right.elements![i].refuse(message, suggestion),
  });
}

function checkMember(member: Argument): Typed | null {
  const typed = member.check();
  if (typed === null || typed.expression.node === 'constant') return typed;
  return member.refuse('the list on the right of in holds constants');
}

function checkKeyList(
  site: Pick<CallSite, 'listType' | 'nearestList'>,
  left: Argument,
  value: Typed | null,
  right: Argument,
  name: string,
): Typed | null {
  const type = site.listType(name);
  if (type === undefined) return right.refuse(`unknown list: list.${name}`, site.nearestList(name));
  if (value === null) return null;
  const fits = value.expression.type === type && value.labels === undefined && value.list !== true;
  if (!fits) return left.refuse(`list.${name} is of type ${type}, this is ${kindText(value)}`);
  const operands = [value.expression, { node: 'constant', type: 'string', value: name } as const];
  return { expression: call('bool', 'in_list', operands) };
}

function emitMembership(context: EmitContext, value: Expression, members: readonly Expression[]): Test {
  const list = members[0];
  if (list?.node === 'column') return emitListMembership(context, value, list.column);
  const tests = members.map((member) => equals(context, value, member));
  return { holds: tests.map((test) => `(${test.holds})`).join(' || '), absent: tests[0]?.absent ?? [] };
}

function emitListMembership(context: EmitContext, value: Expression, column: number): Test {
  const cursor = context.access.listCursor(column);
  if (value.type === 'string' || value.type === 'bytes') {
    const text = context.text(value);
    return { holds: `$listHasText(${cursor}, r, ${argumentsOf(text)})`, absent: text.absent };
  }
  const { kind } = context.access.column(column);
  const number = context.number(value);
  if (number.words !== null && isWide(kind)) {
    return { holds: `$listHasWords(${cursor}, r, ${number.words.low}, ${number.words.high})`, absent: number.absent };
  }
  const plain = number.integer && KINDS[kind].type !== 'double' ? number : guarded(context, number);
  return { holds: `$listHas(${cursor}, r, ${plain.value})`, absent: plain.absent };
}

/** Not remembered: a list is replaced while the engine runs. */
function emitInList(context: EmitContext, subject: Expression, name: string): Test {
  const list = context.access.keyList(name);
  if (subject.type === 'string') {
    const text = context.text(subject);
    return { holds: `$inListText(${list}, ${argumentsOf(text)})`, absent: text.absent };
  }
  const number = context.number(subject);
  if (number.words !== null)
    return { holds: `$inListWords(${list}, ${number.words.low}, ${number.words.high})`, absent: number.absent };
  return { holds: `$inListInteger(${list}, ${number.value})`, absent: number.absent };
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
  if (members.some((member) => member.type !== 'double' && isWideConstant(member))) return NEVER;
  const code = emitOperand(context, value);
  // IN compares doubles by their bits, which tells -0 from 0.
  const literals = members.map((member) => doubleLiteral(Number(member.value) + 0));
  return among({ sql: `(${asDouble(code)} + 0.0)`, nullable: code.nullable }, literals);
}

function isWideConstant({ value, exact }: Constant): boolean {
  const integer = BigInt(exact ?? value);
  return integer >= BigInt(EXACT_LIMIT) || integer <= -BigInt(EXACT_LIMIT);
}

function inColumn(context: SqlContext, value: Expression, index: number): SqlCode {
  const plan = context.column(index);
  const name = context.columnName(index);
  if (value.node === 'constant' && isLabelled(plan)) {
    return { sql: `has(${name}, ${storedName(plan, BigInt(value.exact ?? value.value))})`, nullable: false };
  }
  const code = soughtValue(context, value, KINDS[plan.kind].type === 'double');
  const found = (sought: string): string => `arrayExists(_e -> ifNull(_e = ${sought}, false), ${name})`;
  if (!code.nullable) return { sql: context.bind(code.sql, found), nullable: false };
  const search = (sought: string): string => `if(isNull(${sought}), NULL, ${found(sought)})`;
  return { sql: context.bind(code.sql, search), nullable: true };
}

function soughtValue(context: SqlContext, value: Expression, amongDoubles: boolean): SqlCode {
  if (value.type === 'string' || value.type === 'bytes') return context.text(value);
  return amongDoubles ? emitOperand(context, value) : present(context, context.number(value));
}
