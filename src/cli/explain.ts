/**
 * `hunt explain ID`: why an event was decided as it was, from what was stored with it: the rule that decided, the conditions
 * of every rule with their values, the features as they were served.
 */

import { defineCommand } from 'citty';
import { HuntControl } from '../client/index.ts';
import { explanationText } from './explain/explanation-text.ts';
import { jsonOption, serverOf, URL_OPTIONS } from './options.ts';

export const explainCommand = defineCommand({
  args: {
    id: { type: 'positional', required: true, description: 'The event’s id' },
    day: {
      type: 'string',
      description:
        'UTC day on which the event arrived, 2024-12-31; without it the newest batches are searched, then the ids of all events, about a second for 100 million',
    },
    all: { type: 'boolean', default: false, description: 'Show the conditions of rules that were not reached, too' },
    paths: { type: 'boolean', default: false, description: 'Show the way through each tree of a model, too' },
    ...URL_OPTIONS,
    ...jsonOption(),
  },
  async run({ args }) {
    const explanation = await new HuntControl(serverOf(args)).decision(args.id, args.day);
    const text = args.json ? JSON.stringify(explanation) : explanationText(explanation, args);
    // Whoever reads it may have enough of it.
    process.stdout.once('error', () => undefined);
    process.stdout.write(`${text}\n`);
  },
});
