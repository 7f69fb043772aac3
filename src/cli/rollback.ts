/** `hunt rollback [VERSION]`: back to a version that this server's data folder has run, while the server runs. */

import { defineCommand } from 'citty';
import { HuntControl } from '../client/index.ts';
import { CHANGE_OPTIONS, followChange, originOf } from './deploy/follow-change.ts';

export const rollbackCommand = defineCommand({
  meta: { name: 'hunt rollback', description: 'Go back to an earlier version of the pipeline while the server runs' },
  args: {
    version: {
      type: 'positional',
      required: false,
      description: 'Its hash or the begin of it (default: the version before the one that decides)',
    },
    ...CHANGE_OPTIONS,
  },
  async run({ args }) {
    const control = new HuntControl(args);
    await followChange(control, await control.rollback(args.version, originOf(args)), args.json);
  },
});
