/** `hunt versions`: which version of the pipeline decided from when on, who wanted it, why, and what it changed. */

import { defineCommand } from 'citty';
import { HuntControl, type VersionsDescription } from '../client/index.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';

type Entry = VersionsDescription['activations'][number];

export const versionsCommand = defineCommand({
  args: { ...URL_OPTIONS, ...jsonOption() },
  async run({ args }) {
    const described = await new HuntControl(serverOf(args)).versions();
    process.stdout.write(args.json ? `${JSON.stringify(described)}\n` : `${versionsText(described)}\n`);
  },
});

/** The newest first: that one decides. */
export function versionsText({ activations, older }: VersionsDescription): string {
  const entries = activations.map((entry, i) => entryText(entry, older + i + 1, i === activations.length - 1));
  const rest = older === 0 ? [] : [`${older} older ones are in the table pipelines`];
  return [...entries.reverse(), ...rest].join('\n\n');
}

function entryText(entry: Entry, number: number, decides: boolean): string {
  const { version, shadow, kind, actor, reason, at, differs, disabledRules } = entry;
  const hash = version ?? 'a version that this data folder no longer has';
  const head = `${number}  ${hash}${shadow === null ? '' : ` with shadow ${shadow}`}${decides ? '  decides now' : ''}`;
  const who = `    ${at.slice(0, 19).replace('T', ' ')} UTC  ${kind}${actor === '' ? '' : ` by ${actor}`}${reason === '' ? '' : `: ${reason}`}`;
  const what = differs === null ? ['what it changed is not known here'] : differs;
  const off = disabledRules.length === 0 ? [] : [`switched off: ${disabledRules.join(', ')}`];
  return [head, who, ...[...what, ...off].map((line) => `    - ${line}`)].join('\n');
}
