/**
 * Sends a file as the body of an answer, as fast as the client takes it. For results that were asked to be complete first.
 * Child process.
 */
import { open } from 'node:fs/promises';
import { RESULT_READ_BYTES } from './child-bounds.ts';
import type { Headers, Reply } from './reply.ts';

export async function replyWithFile(path: string, reply: Reply, headers: Headers): Promise<void> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(RESULT_READ_BYTES);
    let wake: (() => void) | undefined;
    reply.whenDrained(() => wake?.());
    reply.begin(headers);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0 || reply.isAborted) break;
      if (!reply.write(buffer.subarray(0, bytesRead)) && !reply.isAborted) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
    reply.end();
  } finally {
    await file.close();
  }
}
