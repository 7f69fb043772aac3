/** The power-cut tests in any number of images: the short form runs with the other tests, the long one on its own. */

import { describe, expect, test } from 'vitest';
import { cutPower, cutPowerWithoutEpochs } from './power-cut-trial.ts';

/** On a machine that others use, too, an image takes up to 300 ms. */
const MS_PER_IMAGE_MAX = 2000;

function seedOf(workers: number): number {
  return Number(process.env['TEST_SEED'] ?? 20_260 + workers);
}

export function describePowerCuts(images: number, imagesWithoutEpochs: number): void {
  describe.each([1, 2])('power cuts with %i workers', (workers) => {
    const name = `${images} images: every answered event, no ghost; all sent again changes nothing`;
    test(name, { timeout: images * MS_PER_IMAGE_MAX }, async () => {
      const seed = seedOf(workers);
      const figures = await cutPower({ workers, images, seed });
      console.log(`workers=${workers} seed=${seed} ${JSON.stringify(figures)}`);
      expect(figures.images).toBe(images);
      expect(figures.answeredEvents).toBeGreaterThan(images * 10);
      // Otherwise nothing has been cut.
      expect(figures.withCutTail).toBeGreaterThan(0);
      expect(figures.withSnapshot).toBeGreaterThan(0);
      expect(figures.trimmed).toBeGreaterThan(0);
      expect(figures.lostUnanswered).toBeGreaterThan(0);
      expect(figures.repeated).toBeGreaterThan(0);
      expect(figures.comparedLive).toBeGreaterThan(0);
      if (workers > 1) expect(figures.sharedEpochs).toBeGreaterThan(images);
    });
  });

  const name = 'without the meeting at the end of an epoch the same checks find ghosts';
  test(name, { timeout: imagesWithoutEpochs * MS_PER_IMAGE_MAX }, async () => {
    const seed = seedOf(0);
    const found = await cutPowerWithoutEpochs({ workers: 2, images: imagesWithoutEpochs, seed });
    console.log(`without epochs: seed=${seed} images=${imagesWithoutEpochs} ${JSON.stringify(found)}`);
    expect(found.faultsUncut).toBe(0);
    expect(found.ghosts).toBeGreaterThan(0);
  });
}
