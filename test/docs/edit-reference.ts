/** The table of edits and their classes as docs/versions.md has it. Used by edit-reference.test.ts. */

import { EDIT_GROUPS } from '../../src/config/change/edits.ts';

export const BEGIN = '<!-- edits: begin -->';
export const END = '<!-- edits: end -->';

const CLASSES = { safe: 'safe', backfill: 'needs backfill', refused: 'refused' } as const;

export function editReference(): string {
  const groups = Object.entries(CLASSES).flatMap(([editClass, title]) =>
    Object.entries(EDIT_GROUPS).map(([about, rules]) => {
      const ofClass = Object.values(rules).filter((rule) => rule.class === editClass);
      const texts = ofClass.map(({ documentation, rollback }) =>
        rollback === undefined || editClass === 'safe' ? documentation : `${documentation} (not in a rollback)`,
      );
      return { title, about, texts: [...new Set(texts)] };
    }),
  );
  // Class and subject stand in the first of their rows.
  const rows = groups.flatMap(({ title, about, texts }) =>
    texts.map((text, i) => (i === 0 ? `| ${title} | ${about} | ${text} |` : `| | | ${text} |`)),
  );
  return [BEGIN, '', '| class | of | edits |', '| --- | --- | --- |', ...rows, '', END].join('\n');
}
