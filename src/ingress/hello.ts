/**
 * The first message on a WebSocket connection: what the client needs to know of the pipeline and the limits, and where its
 * producer stands. Sent once a connection, so it is encoded by protobufjs from the public contract.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { ENCODING_PROTO } from '../../native-free-core/layout/records.ts';
import { FRAMES_IN_FLIGHT_MAX, FRAME_BYTES_MAX, FRAME_EVENTS_MAX } from '../../native-free-core/layout/limits.ts';
import { packageRoot } from '../ops/compiled-url.ts';

export interface HelloFacts {
  readonly pipeline: string;
  readonly pipelineVersion: string;
  readonly decisions: readonly { readonly name: string; readonly actions: readonly string[] }[];
}

/** Frames in flight that a client is told to keep to: several fsyncs' worth, and a lane's worth of large frames. */
export const FRAMES_IN_FLIGHT = 256;

if (FRAMES_IN_FLIGHT > FRAMES_IN_FLIGHT_MAX) throw new Error('FRAMES_IN_FLIGHT is over its limit');

const HIGH = 4294967296;

export function createHello(facts: HelloFacts): (encoding: number, seqLow: number, seqHigh: number) => Uint8Array {
  const root = protobuf.loadSync(join(packageRoot(import.meta.url), 'proto', 'hunt', 'v1', 'wire.proto'));
  const type = root.lookupType('hunt.v1.Hello');
  const common = {
    pipeline: facts.pipeline,
    pipelineVersion: facts.pipelineVersion,
    decisions: facts.decisions.map(({ name, actions }) => ({ name, actions: [...actions] })),
    framesInFlight: FRAMES_IN_FLIGHT,
    frameBytesMax: FRAME_BYTES_MAX,
    frameEventsMax: FRAME_EVENTS_MAX,
  };
  return (encoding, seqLow, seqHigh) => {
    const highestSeq = String(BigInt(seqHigh) * BigInt(HIGH) + BigInt(seqLow));
    if (encoding !== ENCODING_PROTO) return Buffer.from(JSON.stringify({ ...common, highestSeq }), 'utf8');
    return type.encode(type.fromObject({ ...common, highestSeq })).finish();
  };
}
