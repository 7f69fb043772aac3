/**
 * The client for browsers, by the condition `browser` of the same packages: nothing of Node, and the same names as index.ts.
 */

import { StreamClient, type ClientOptions } from './hunt-client.ts';
import { BROWSER_SOCKETS } from './browser-socket.ts';

export class HuntClient extends StreamClient {
  /** Connects and waits for the hello. Throws an OperatingError where no server answers or it refuses. */
  static async connect(options: ClientOptions): Promise<HuntClient> {
    const client = new HuntClient(options, BROWSER_SOCKETS);
    await client.start();
    return client;
  }
}

export { FRAMES_HELD_MAX, type ClientOptions } from './hunt-client.ts';
export type { ClientAnswer, ClientHello, Decisions, Rejection, Warning } from './answer.ts';
export { JsonText, type ClientEvent, type Encoding } from './frame.ts';
export { OperatingError } from '../../native-free-core/base/operating-error.ts';
