/** The door of a service that answers in JSON, as the load generator's connections want it: answers in protobuf. */

import type { OpenTransport } from '../../src/cli/load/load-transport.ts';
import { openRawWebSocket } from '../../src/client/raw-websocket.ts';

const SEQ_TAG = 0x09;
const STATUS_TAG = 0x10;
const STATUS_OK = 1;
const SEQ_DIGITS_AT = '{"seq":'.length;
const FRAMES_IN_FLIGHT = 64;

export const openJsonTransport: OpenTransport = async ({ address }, handlers) => {
  const answer = Buffer.from([SEQ_TAG, 0, 0, 0, 0, 0, 0, 0, 0, STATUS_TAG, STATUS_OK]);
  const socket = await openRawWebSocket(address, {}, 'json', {
    message(bytes, start, end) {
      let seq = 0;
      for (let at = start + SEQ_DIGITS_AT; bytes[at]! >= 48 && bytes[at]! <= 57; at++) seq = seq * 10 + bytes[at]! - 48;
      if (seq === 0) throw new Error(`no answer: ${Buffer.from(bytes.slice(start, end)).toString()}`);
      answer.writeBigUInt64LE(BigInt(seq), 1);
      handlers.answer(answer, 0, answer.length);
    },
    settled: handlers.settled,
    closed: handlers.closed,
  });
  const { write, close } = socket;
  return { framesInFlightMax: FRAMES_IN_FLIGHT, eventsInFlight: 0, highestSeq: 0, write, close };
};
