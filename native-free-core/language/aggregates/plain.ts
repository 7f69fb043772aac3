/** Pieces that plain aggregates share: the order of serving and taking in, and the tail of a window without buckets. */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { PlainCode, SetCode } from './kernel-part.ts';

/** A set in the row's head: the whole life. */
export function plainSet(set: SetCode): PlainCode {
  return {
    update: (cells, event, code) =>
      served(
        code.feature,
        `if (${event.adds}) { ${set.add(cells, event, code.feature, '0')} }`,
        set.serve(cells, code),
      ),
    move: () => '',
    read: set.serve,
  };
}

export function served(feature: FeaturePlan, add: string, serve: string): string {
  return feature.excludesCurrent === true ? `${serve}\n    ${add}` : `${add}\n    ${serve}`;
}

/** The first hop of the window. */
export function tailOf({ windowMs, hopMs }: FeaturePlan): string {
  return `Math.floor((clock - ${windowMs}) / ${hopMs})`;
}

/** Whether a time is not before the window's tail, as a further condition; '' over the whole life. */
export function andInside(feature: FeaturePlan, time: string): string {
  return feature.windowMs > 0 ? ` && Math.floor(${time} / ${feature.hopMs}) >= ${tailOf(feature)}` : '';
}
