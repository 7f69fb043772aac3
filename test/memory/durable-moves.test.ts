/** Waiting on the main thread for epochs to become durable, by the spool thread's bell. */

import { expect, test } from 'vitest';
import {
  CONTROL_VERSION,
  CONTROL_WORDS,
  DURABLE_BELL,
  DURABLE_LOW,
} from '../../native-free-core/layout/control-layout.ts';
import { createRegion, REGION_CONTROL } from '../../native-free-core/layout/region.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { storeWatermark } from '../../native-free-core/ring/watermark.ts';
import { positionOf } from '../../src/contract/event-log.ts';
import { controlWords } from '../../src/memory/control-words.ts';

const FOR_EVER_MS = 600_000;

function createControl(): ReturnType<typeof controlWords> {
  const region = createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4);
  const memory = { control: region, workers: 1, ingresses: 1 } as Parameters<typeof controlWords>[0];
  const control = controlWords(memory);
  control.begin(positionOf(5), 0);
  return control;
}

test('it ends with the ring of an epoch, and at once where that is there already', async () => {
  const { words, whenDurableMoves } = createControl();
  const moved = whenDurableMoves(positionOf(5), FOR_EVER_MS);
  storeWatermark(words, DURABLE_LOW, 6);
  ring(words, DURABLE_BELL);
  await moved;
  await whenDurableMoves(positionOf(5), FOR_EVER_MS);
  expect(words[DURABLE_BELL + 1]).toBe(0);
});

test('a stop ends a wait, and whoever waits after it does not spin', async () => {
  const control = createControl();
  const moved = control.whenDurableMoves(positionOf(5), FOR_EVER_MS);
  control.stop();
  await moved;
  const begun = performance.now();
  await control.whenDurableMoves(positionOf(5), 50);
  expect(performance.now() - begun).toBeGreaterThan(30);
});
