/**
 * `hunt rollback [VERSION]`: back to a version that this server's data folder has run, while the server runs. What it
 * changes is said before it happens.
 */

import { defineCommand } from 'citty';
import { HuntControl, type DeployPreview } from '../client/index.ts';
import { OperatingError } from '../errors.ts';
import { CHANGE_OPTIONS, beginChange, followChange, changeOriginOf } from './deploy/follow-change.ts';
import { serverOf } from './options.ts';

export const rollbackCommand = defineCommand({
  args: {
    version: {
      type: 'positional',
      required: false,
      description: 'Its hash or the begin of it (default: the version before the one that decides)',
    },
    preview: { type: 'boolean', default: false, description: 'Only say what it would change' },
    'allow-disabled': {
      type: 'boolean',
      default: false,
      description: 'Go back also where that switches off rules that decide now',
    },
    ...CHANGE_OPTIONS,
  },
  async run({ args }) {
    const control = new HuntControl(serverOf(args));
    const preview = await control.previewRollback(args.version);
    if (args.preview) {
      process.stdout.write(args.json ? `${JSON.stringify(preview)}\n` : `${previewText(preview)}\n`);
      return;
    }
    if (!args.json) process.stderr.write(`${previewText(preview)}\n`);
    if (preview.newlyDisabled.length > 0 && !args['allow-disabled']) {
      throw new OperatingError(
        'rule_disabled_there',
        `version ${preview.version} has rules switched off that decide now: ${preview.newlyDisabled.join(', ')}; go back with --allow-disabled, or name another version (hunt versions lists them)`,
      );
    }
    const begun = await beginChange(control, () => control.rollback(args.version, changeOriginOf(args)));
    await followChange(control, begun, args);
  },
});

export function previewText({ version, shadow, from, diff, newlyDisabled }: DeployPreview): string {
  const { edits = [] } = diff as { readonly edits?: readonly { readonly path: string; readonly text: string }[] };
  const beside = shadow === null ? '' : ` with shadow ${shadow}`;
  return [
    `from version ${from} back to ${version}${beside}`,
    ...edits.map(({ path, text }) => `  - ${path}: ${text}`),
    ...newlyDisabled.map((rule) => `  ! rule ${rule} decides now, and is switched off there`),
  ].join('\n');
}
