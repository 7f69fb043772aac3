/**
 * The first message on a WebSocket connection: what the client needs to know of the pipeline and the limits, and where its
 * producer stands. Ingress thread, once a connection.
 */

import type { Hello } from '../../native-free-core/codec/messages.ts';
import { encodingOf } from '../../native-free-core/encodings/index.ts';
import { FRAME_BYTES_MAX, FRAME_EVENTS_MAX } from '../../native-free-core/layout/limits.ts';
import type { PipelineFacts } from './thread-messages.ts';

export type EncodeHello = (encoding: number, highestSeq: number, eventsInFlight: number) => Uint8Array;

export function createHello(pipeline: PipelineFacts, framesInFlight: number): EncodeHello {
  const common: Omit<Hello, 'highestSeq' | 'eventsInFlight'> = {
    pipeline: pipeline.name,
    pipelineVersion: pipeline.version,
    decisions: pipeline.decisions,
    framesInFlight,
    frameBytesMax: FRAME_BYTES_MAX,
    frameEventsMax: FRAME_EVENTS_MAX,
  };
  return (encoding, highestSeq, eventsInFlight) =>
    encodingOf(encoding).answers.encodeHello({ ...common, highestSeq, eventsInFlight });
}
