/** The client for Node: what `@treasure-hunt-engine/client` and `treasure-hunt-engine` are there. */

import { StreamClient, type ClientOptions } from './hunt-client.ts';

export class HuntClient extends StreamClient {
  /** Connects and waits for the hello. Throws an OperatingError where no server answers or it refuses. */
  static async connect(options: ClientOptions): Promise<HuntClient> {
    // Only now: those who never connect need not load a library for it.
    const { WS_SOCKETS } = await import('./ws-socket.ts');
    const client = new HuntClient(options, WS_SOCKETS);
    await client.start();
    return client;
  }
}

export { FRAMES_HELD_MAX, type ClientOptions } from './hunt-client.ts';
export type { ClientAnswer, ClientHello, Decisions, Rejection, Warning } from './answer.ts';
export { JsonText, type ClientEvent, type Encoding } from './frame.ts';
export { OperatingError } from '../../native-free-core/base/operating-error.ts';
