/**
 * `GET /v1/entities/{entity}/{key}`: the features as they stand, by the entity's own clock or with `?at=now` by the
 * server's. A worker reads them, because it can: the tables are shared, so any worker will do. Ingress thread.
 */

import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { ENTITY_FOUND, ENTITY_NONE, ENTITY_UNSEEN } from '../../native-free-core/layout/answer-record.ts';
import type { Exchange } from '../http/transport.ts';
import type { IngressContext } from './thread-context.ts';
import { SERVER_BUSY, endJson, endWith, type HttpProblem } from './http-answer.ts';
import type { Outlet, Peer } from './peers.ts';

/** Look-ups that wait at once. */
const READS_MAX = 1024;
const KEY_BYTES_MAX = 4096;

interface Read {
  /** What the request named. */
  readonly entity: string;
  readonly key: string;
  readonly atNow: boolean;
  readonly exchange: Exchange;
  readonly until: number;
}

export interface EntityReads {
  /** `status`, `body`: as in layout/answer-record.ts. */
  answer(peer: Peer, status: number, body: Uint8Array): void;
  expire(now: number): void;
}

/** A look-up's answer comes by `EntityReads.answer`; nothing else is ever sent to it. */
const NOTHING: Outlet = { send: () => undefined, gather: (sends) => sends() };

export function serveEntities(context: IngressContext): EntityReads {
  const { admission, options, peers } = context;
  const reads = new Map<Peer, Read>();
  let turn = options.index;
  context.router.on('entities', (head, exchange, { parameters }) => {
    const [entityName, keyText] = parameters;
    const entity = context.pipeline.entities.indexOf(entityName!);
    const key = Buffer.from(keyText!, 'utf8');
    const at = head.parameter('at');
    const problem = problemOf(context.pipeline.entities, entity, key, at);
    if (problem !== null) return endWith(exchange, problem);
    const worker = turn++ % admission.workers;
    const peer = peers.add(
      {
        worker,
        encoding: ENCODING_CODES.json,
        answerEncoding: ENCODING_CODES.json,
        stored: false,
        producer: '',
        credit: 0,
        events: null,
      },
      NOTHING,
    );
    if (reads.size >= READS_MAX || !admission.read(peer, entity, key, at === 'now')) {
      peers.remove(peer);
      return endWith(exchange, SERVER_BUSY);
    }
    const asked = { entity: entityName!, key: keyText!, atNow: at === 'now' };
    reads.set(peer, { ...asked, exchange, until: performance.now() + options.limits.answerMsMax });
  });

  const end = (peer: Peer, finish: (read: Read) => void): void => {
    const read = reads.get(peer);
    reads.delete(peer);
    peers.remove(peer);
    if (read !== undefined) finish(read);
  };
  return {
    answer(peer, status, body) {
      end(peer, (read) => {
        if (status === ENTITY_FOUND) endJson(read.exchange, 200, body);
        else endWith(read.exchange, unreadProblem(read, status, Buffer.from(body).toString('utf8')));
      });
    },
    expire(now) {
      for (const [peer, { until }] of reads) {
        if (until > now) return;
        end(peer, ({ exchange }) => endWith(exchange, NO_ANSWER));
      }
    },
  };
}

const NO_ANSWER: HttpProblem = { status: 504, code: 'no_answer', message: 'no worker answered in time; try again' };

/** Why there are no features. `expected`: what a key of the entity looks like. */
function unreadProblem({ entity, key, atNow }: Read, status: number, expected: string): HttpProblem {
  if (status === ENTITY_UNSEEN) {
    const message = `no ${entity} has been seen under this key${atNow ? ' within its ttl' : ''}: ${key}`;
    return { status: 404, code: 'unknown_entity', message };
  }
  const named =
    status === ENTITY_NONE
      ? `any entity: ${key}; expected an entity of the pipeline`
      : `${entity}: ${key}; expected ${expected}`;
  return { status: 400, code: 'bad_key', message: `not a key of ${named}` };
}

function problemOf(
  entities: readonly string[],
  entity: number,
  key: Uint8Array,
  at: string | undefined,
): HttpProblem | null {
  if (entity < 0) {
    return {
      status: 404,
      code: 'unknown_entity',
      message: `no such entity in this pipeline; it has ${entities.join(', ')}`,
    };
  }
  if (key.length > KEY_BYTES_MAX) {
    return {
      status: 400,
      code: 'key_too_long',
      message: `the key is too long: bytes=${key.length}; use at most ${KEY_BYTES_MAX}`,
    };
  }
  if (at !== undefined && at !== 'now') {
    return {
      status: 400,
      code: 'bad_parameter',
      message: `not served: at=${at}; use at=now, or leave it out to read as of the entity’s last event`,
    };
  }
  return null;
}
