/** Ready means that frames are answered: those of the warm-up have been, by workers that had warmed up themselves. */

import { afterAll, expect, test } from 'vitest';
import type { Figures } from '../../src/contract/figures.ts';
import { startServer, temporaryFolder, type Server } from './server.ts';

const folder = temporaryFolder();
let server: Server | undefined;

afterAll(async () => {
  await server?.kill();
  folder.remove();
});

test('a server that calls itself ready has answered the frames of its warm-up', async () => {
  server = await startServer({ data: folder.path, options: ['--workers', '2'] });
  const { ingress } = await server.get<Figures>('/v1/server');
  // Those in flight when its time was over have nobody to go to. A worker that still warms up answers none.
  expect(ingress.answers).toBeGreaterThan(0);
  expect(ingress.frames - ingress.answers).toBeLessThanOrEqual(128);
});
