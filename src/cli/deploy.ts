/**
 * `hunt deploy FILE`: another version of the pipeline, while the server runs. The file and all that it names go to the
 * server; what it refuses changes nothing. With `--shadow` the version decides beside the live one: stored, never answered
 * (`hunt diff`).
 */

import { defineCommand } from 'citty';
import { HuntControl, type BegunChange } from '../client/index.ts';
import { loadPipelineFile, PipelineError } from '../config/index.ts';
import { OperatingError } from '../errors.ts';
import {
  CHANGE_OPTIONS,
  beginChange,
  followChange,
  changeOriginOf,
  type ChangeArguments,
} from './deploy/follow-change.ts';
import { writeWarnings } from './pipeline-warnings.ts';
import { serverOf } from './options.ts';

export const deployCommand = defineCommand({
  args: {
    file: {
      type: 'positional',
      required: false,
      description: 'Pipeline file; hunt plan FILE --url shows beforehand what it changes',
    },
    shadow: {
      type: 'boolean',
      default: false,
      description: 'Let it decide beside the live version, stored and never answered; hunt diff shows where they part',
    },
    'end-shadow': { type: 'boolean', default: false, description: 'End the shadow; without FILE' },
    ...CHANGE_OPTIONS,
  },
  async run({ args }) {
    try {
      const control = new HuntControl(serverOf(args));
      const file = args['end-shadow'] ? null : args.file;
      if (file === undefined) throw new OperatingError('bad_option', 'which pipeline? write hunt deploy FILE');
      const begun = await begin(control, file, args.shadow, args);
      await followChange(control, begun, args);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
  },
});

async function begin(
  control: HuntControl,
  file: string | null,
  shadow: boolean,
  args: ChangeArguments,
): Promise<BegunChange> {
  const origin = changeOriginOf(args);
  if (file === null) return beginChange(control, () => control.shadow(null, origin));
  const { sources, warnings } = await loadPipelineFile(file);
  writeWarnings(warnings);
  return beginChange(control, () => (shadow ? control.shadow(sources, origin) : control.deploy(sources, origin)));
}
