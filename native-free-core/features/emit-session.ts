/**
 * Emits session windows: the entity's last sessions lie in a few slots, in no order; an event extends one, joins two, or
 * begins one. A session is forgotten once no event that is still admitted could reach it. Called by kernel.ts and read.ts.
 */

import { cellSet, emitClear } from '../language/aggregates/cells.ts';
import type { Plan } from '../plan/plan.ts';
import { eventOf, setOf } from './emit-plain.ts';
import { SESSION_END, SESSION_START, type FeatureLayout, type SessionLayout } from './record-layout.ts';

export function emitSession(group: SessionLayout, indexOf: (layout: FeatureLayout) => number, plan: Plan): string {
  const { gapMs, lateMs, at, slotSize, used, features } = group;
  const start = (slot: string): string => `f[${slot} + ${SESSION_START}]`;
  const end = (slot: string): string => `f[${slot} + ${SESSION_END}]`;
  const move = (to: string, from: string): string => `f.copyWithin(${to}, ${from}, ${from} + ${slotSize});`;
  const merge = features
    .map(({ feature, bucket }) => setOf(feature).merge(cellSet('s', bucket!), cellSet('q', bucket!), feature))
    .join(' ');
  const clear = clearAll(group);
  const excluding = features.filter(({ feature }) => feature.excludesCurrent === true);
  const including = features.filter(({ feature }) => feature.excludesCurrent !== true);
  const serve = (layouts: readonly FeatureLayout[]): string =>
    layouts.map((layout) => serveCurrent(layout, plan)).join('\n      ');
  return `{ const slots = b + ${at};
      let inUse = f[b + ${used}];
      const forgotten = clock - ${lateMs + gapMs};
      for (let i = 0; i < inUse;) {
        const q = slots + i * ${slotSize};
        if (${end('q')} < forgotten) { inUse--; ${move('q', `slots + inUse * ${slotSize}`)} } else i++;
      }
      let s = -1, sw = -2;
      if (t >= clock - ${lateMs}) {
        for (let i = 0; i < inUse;) {
          const q = slots + i * ${slotSize}, qw = q * 2;
          if (t < ${start('q')} - ${gapMs} || t > ${end('q')} + ${gapMs}) i++;
          else if (s < 0) { s = q; sw = qw; i++; }
          else {
            if (${start('q')} < ${start('s')}) ${start('s')} = ${start('q')};
            if (${end('q')} > ${end('s')}) ${end('s')} = ${end('q')};
            ${merge}
            inUse--; ${move('q', `slots + inUse * ${slotSize}`)}
          }
        }
        if (s < 0) { s = slots + inUse * ${slotSize}; sw = s * 2; inUse++; ${start('s')} = t; ${end('s')} = t; ${clear} }
        else { if (t < ${start('s')}) ${start('s')} = t; if (t > ${end('s')}) ${end('s')} = t; }
      }
      f[b + ${used}] = inUse;
      ${emitCurrent(group)}
      ${serve(excluding)}
      if (s >= 0) { ${features.map((layout) => addCurrent(layout, indexOf(layout))).join('\n      ')} }
      ${serve(including)} }`;
}

/** The session that the entity's clock is in: the one that ends last. */
function emitCurrent({ slotSize }: SessionLayout): string {
  return `let current = slots;
      for (let i = 1; i < inUse; i++) { const q = slots + i * ${slotSize}; if (f[q + ${SESSION_END}] > f[current + ${SESSION_END}]) current = q; }
      const currentw = current * 2;`;
}

/** A session that ended too long before `clock` is over: the next one has nothing in it yet. */
export function emitSessionRead(group: SessionLayout, plan: Plan): string {
  return `{ const slots = b + ${group.at}, inUse = f[b + ${group.used}];
      ${emitCurrent(group)}
      if (clock > f[current + ${SESSION_END}] + ${group.gapMs}) { const s = current, sw = currentw; ${clearAll(group)} }
      ${group.features.map((layout) => serveCurrent(layout, plan)).join('\n      ')} }`;
}

function addCurrent({ feature, bucket }: FeatureLayout, index: number): string {
  const event = eventOf(index);
  return `if (${event.adds}) { ${setOf(feature).add(cellSet('s', bucket!), event, feature, '0')} }`;
}

function serveCurrent({ feature, bucket }: FeatureLayout, plan: Plan): string {
  return setOf(feature).serve(cellSet('current', bucket!), { feature, plan });
}

function clearAll({ features }: SessionLayout): string {
  return features.map(({ feature, bucket }) => emitClear('s', bucket!, setOf(feature).cleared)).join(' ');
}
