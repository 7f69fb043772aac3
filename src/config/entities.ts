/** Entities: keys, bounds, and the columns for seq and life. */

import type { EntityPlan, Expression } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { expressionAt } from './expression-at.ts';
import { LATER_PREFIXES } from './later.ts';
import type { EntityDeclaration } from './schema.ts';
import type { Path } from './source.ts';
import { countOf, durationMs } from './units.ts';

/** Without features; features.ts adds them. */
export type BareEntity = Omit<EntityPlan, 'features'>;

/** 32-bit row indices within the tables, with room to spare. */
const ENTITIES_MAX = 100_000_000;

const RESERVED = new Set(['event', 'derived', 'list', 'experiment', 'geo', ...LATER_PREFIXES.keys()]);

export function compileEntities(c: Compilation): BareEntity[] {
  const declared = Object.entries(c.declaration.entities);
  const primaries = declared.filter(([, entity]) => entity.primary === true);
  if (declared.length === 0) c.problems.addAtKey(['entities'], 'a pipeline needs at least one entity');
  else if (primaries.length === 0) c.problems.addAtKey(['entities'], 'one entity must be primary: true');
  for (const [name] of primaries.slice(1))
    c.problems.add(['entities', name, 'primary'], 'only one entity can be primary');
  return declared.map(([name, entity], index) => compileEntity(c, name, entity, index));
}

function compileEntity(c: Compilation, name: string, entity: EntityDeclaration, index: number): BareEntity {
  const path: Path = ['entities', name];
  if (RESERVED.has(name)) c.problems.addAtKey(path, `an entity cannot be called ${name}: expressions use that name`);
  const keyTexts = typeof entity.key === 'string' ? [entity.key] : entity.key;
  const key = keyTexts.map((text, i) =>
    compileKey(c, text, typeof entity.key === 'string' ? [...path, 'key'] : [...path, 'key', i]),
  );
  const max = countOf(entity.max);
  if (max < 1 || max > ENTITIES_MAX) c.problems.add([...path, 'max'], `max must lie between 1 and ${ENTITIES_MAX}`);
  const ttlMs = durationMs(entity.ttl);
  if (ttlMs === 0) c.problems.add([...path, 'ttl'], 'ttl must be longer than nothing');
  const primary = entity.primary === true;
  // Only the primary entity is certain to be there; columns of the others are NULL where an event has no key for them.
  const column = (part: string, comment: string): number =>
    c.columns.add({ name: `${name}_${part}`, kind: 'u64', nullable: !primary, comment }, `entity ${name}`, path);
  return {
    index,
    name,
    primary,
    max,
    ttlMs,
    key: key.filter((part): part is Expression => part !== null),
    keyTexts,
    seqColumn: column('seq', `number of the event within this life of its ${name}`),
    lifeColumn: column('life', `epoch that created the state of the ${name}`),
  };
}

/** Columns are keys with all their bits; what is calculated may be anything but a fractional number. */
function compileKey(c: Compilation, text: string, path: Path): Expression | null {
  const typed = expressionAt(c, text, path, false);
  if (typed === null) return null;
  const { node, type } = typed.expression;
  if (node === 'constant') return refuse(c, path, 'a key must depend on the event');
  if (type === 'double') return refuse(c, path, 'a key cannot be a fractional number');
  return typed.expression;
}

function refuse(c: Compilation, path: Path, message: string): null {
  c.problems.addInText(path, 0, message);
  return null;
}
