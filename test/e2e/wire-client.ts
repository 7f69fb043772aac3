/**
 * A client that owes nothing to the project's own: `ws`, `fetch` and protobufjs over the public contract. It proves that the
 * wire is what proto/hunt/v1/wire.proto says.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { WebSocket } from 'ws';
import { KEY_HEADERS } from '../doors.ts';
import { root } from './server.ts';

const wire = protobuf.loadSync(join(root, 'proto', 'hunt', 'v1', 'wire.proto'));
const game = protobuf.loadSync(join(root, 'proto', 'game', 'v1', 'events.proto'));
const Frame = wire.lookupType('hunt.v1.Frame');
const Answer = wire.lookupType('hunt.v1.Answer');
const Hello = wire.lookupType('hunt.v1.Hello');
const GameEvent = game.lookupType('game.v1.GameEvent');

export interface Dig {
  readonly id: string;
  readonly player: number;
  readonly hunt?: number;
  /** ms UTC */
  readonly at: number;
  readonly depth?: number;
}

/** `decisions`: by event, what was decided by name; null where the event was not taken. */
export interface AnswerBody {
  readonly seq: string;
  readonly status: string;
  readonly events: number;
  readonly decisions: readonly (Readonly<Record<string, string | null>> | null)[];
  readonly rejections: readonly { readonly index: number; readonly code: string; readonly text: string }[];
}

export interface HelloBody {
  readonly pipeline: string;
  readonly pipelineVersion: string;
  readonly decisions: readonly { readonly name: string; readonly actions: readonly string[] }[];
  readonly framesInFlight: number;
  readonly frameBytesMax: number;
  readonly frameEventsMax: number;
  readonly highestSeq: string;
}

export function digJson({ id, player, hunt = 1, at, depth = 0.5 }: Dig): object {
  return {
    event_id: id,
    player_id: player,
    hunt_id: hunt,
    event_time: new Date(at).toISOString(),
    dig: { depth, tool: 'SPADE' },
  };
}

export function digProto({ id, player, hunt = 1, at, depth = 0.5 }: Dig): Uint8Array {
  const event_time = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 };
  return GameEvent.encode(
    GameEvent.fromObject({
      eventId: id,
      playerId: player,
      huntId: hunt,
      eventTime: event_time,
      dig: { depth, tool: 'SPADE' },
    }),
  ).finish();
}

export function frameProto(seq: number, events: readonly Uint8Array[]): Uint8Array {
  return Frame.encode(Frame.fromObject({ seq, events: events.map((event) => event) })).finish();
}

export function readAnswer(bytes: Uint8Array, hello: Pick<HelloBody, 'decisions'>): AnswerBody {
  const answer = Answer.toObject(Answer.decode(bytes), {
    longs: String,
    enums: String,
    defaults: true,
    arrays: true,
  }) as {
    seq: string;
    status: string;
    events: number;
    decisions: number[];
    rejections: { index: number; code: string; text: string }[];
  };
  const width = hello.decisions.length;
  const refused = new Set(answer.rejections.map(({ index }) => index));
  const decisions = Array.from({ length: answer.events }, (_, event) => {
    if (refused.has(event)) return null;
    return Object.fromEntries(
      hello.decisions.map(({ name, actions }, i) => [name, actions[answer.decisions[event * width + i] - 1] ?? null]),
    );
  });
  return { ...answer, decisions };
}

export interface Stream {
  readonly hello: HelloBody;
  /** Sends one frame; resolves with its answer. */
  send(seq: number, digs: readonly Dig[]): Promise<AnswerBody>;
  /** Sends bytes as they are. */
  sendRaw(bytes: Uint8Array | string): Promise<AnswerBody>;
  close(): Promise<void>;
}

export async function openStream(
  url: string,
  options: { readonly protocol: 'hunt.v1.proto' | 'hunt.v1.json'; readonly producer?: string; readonly ack?: string },
): Promise<Stream> {
  const address = new URL('/v1/stream', url.replace(/^http/, 'ws'));
  if (options.producer !== undefined) address.searchParams.set('producer', options.producer);
  if (options.ack !== undefined) address.searchParams.set('ack', options.ack);
  const socket = new WebSocket(address, options.protocol, { headers: KEY_HEADERS });
  const binary = options.protocol === 'hunt.v1.proto';
  const waiting: { done(bytes: Buffer): void; failed(error: Error): void }[] = [];
  const next = (): Promise<Buffer> => new Promise((done, failed) => waiting.push({ done, failed }));
  socket.on('message', (data: Buffer) => waiting.shift()?.done(data));
  const fail = (error: Error): void => waiting.splice(0).forEach(({ failed }) => failed(error));
  socket.on('error', fail);
  socket.on('close', (code, reason) =>
    fail(new Error(`the connection closed: code=${code} reason=${reason.toString()}`)),
  );
  const first = await next();
  const hello = (
    binary
      ? Hello.toObject(Hello.decode(first), { longs: String, defaults: true, arrays: true })
      : JSON.parse(first.toString('utf8'))
  ) as HelloBody;
  const sendRaw = async (bytes: Uint8Array | string): Promise<AnswerBody> => {
    const answer = next();
    socket.send(bytes);
    const data = await answer;
    return binary ? readAnswer(data, hello) : (JSON.parse(data.toString('utf8')) as AnswerBody);
  };
  return {
    hello,
    sendRaw,
    send: (seq, digs) =>
      sendRaw(binary ? frameProto(seq, digs.map(digProto)) : JSON.stringify({ seq, events: digs.map(digJson) })),
    async close() {
      const closed = new Promise((done) => socket.once('close', done));
      socket.close();
      await closed;
    },
  };
}

export interface PostOptions {
  readonly type: string;
  readonly producer?: string;
  readonly seq?: number;
  readonly ack?: string;
}

export async function post(
  url: string,
  body: Uint8Array | string,
  options: PostOptions,
): Promise<{ status: number; bytes: Buffer }> {
  const headers: Record<string, string> = { ...KEY_HEADERS, 'content-type': options.type };
  if (options.producer !== undefined) headers['x-hunt-producer'] = options.producer;
  if (options.seq !== undefined) headers['x-hunt-seq'] = String(options.seq);
  if (options.ack !== undefined) headers['x-hunt-ack'] = options.ack;
  const response = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: body as string });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}
