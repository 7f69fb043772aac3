/**
 * `hunt disable RULE`: the kill switch; `hunt enable RULE` switches it on again. Each is a version of the pipeline like any
 * other.
 */

import { defineCommand } from 'citty';
import { HuntControl } from '../client/index.ts';
import { CHANGE_OPTIONS, beginChange, followChange, changeOriginOf } from './deploy/follow-change.ts';
import { serverOf } from './options.ts';

export const disableCommand = ruleCommand(true);
export const enableCommand = ruleCommand(false);

function ruleCommand(disabled: boolean) {
  return defineCommand({
    args: {
      rule: {
        type: 'positional',
        required: true,
        description: 'Id of the rule, or decision.id where several decisions have one of that id',
      },
      ...CHANGE_OPTIONS,
    },
    async run({ args }) {
      const control = new HuntControl(serverOf(args));
      const begun = await beginChange(control, () => control.setRule(args.rule, disabled, changeOriginOf(args)));
      await followChange(control, begun, args);
    },
  });
}
