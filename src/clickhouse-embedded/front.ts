/**
 * ClickHouse's HTTP interface: routes, reads requests, hands statements to run-statement.ts. One thread, the child's main
 * one; it copies bytes and waits for nothing.
 */
import { randomUUID } from 'node:crypto';
import { preflightHeaders, readableBy } from '../access/cors.ts';
import { Door } from '../access/door.ts';
import { FailedAttempts } from '../access/failed-attempts.ts';
import { OperatingError } from '../errors.ts';
import { connectionBounds } from '../system/descriptors.ts';
import { openTransport } from '../http/choose-transport.ts';
import type { KeyRing } from '../access/keys.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import { commonHeaders, type HeaderContext } from './answer-headers.ts';
import { receiveBody, type BodyReceiver } from './body-receiver.ts';
import { EngineFailure } from './engine-failure.ts';
import type { ChildConfiguration } from './protocol.ts';
import { createReply, type Reply } from './reply.ts';
import { authenticate, authenticationFailure, parseRequest, refuseSession } from './request.ts';
import { guard, runCommand, runInsert, runRead, type Query } from './run-statement.ts';
import type { EmbeddedServer } from './embedded-server.ts';

export interface Front {
  readonly port: number;
  /** Told to clients from now on in `X-Hunt-Watermark`; ms UTC. */
  showWatermark(time: number): void;
  /** Accepts no more connections; what runs goes on. */
  stopListening(): void;
  close(): void;
}

/** How far SQL can see: docs/semantics.md §12. */
interface Freshness {
  /** ms UTC; 0: nobody has said yet. */
  watermark: number;
}

export async function openFront(warehouse: EmbeddedServer, configuration: ChildConfiguration): Promise<Front> {
  const freshness = { watermark: 0 };
  const { host, port } = configuration;
  let door = new Door(configuration.access, { host, port });
  const attempts = new FailedAttempts((count, last) =>
    warehouse.log('warn', 'requests without a right key were refused', { attempts: count, last }),
  );
  const server = openTransport(configuration.transport).serve({
    request(head, exchange) {
      const refusal = door.refusal(head);
      const page = refusal === null ? door.origins.allowed(head) : null;
      if (page !== null) exchange.always(readableBy(page));
      if (refusal === null) route({ warehouse, configuration, freshness, keys: door.keys, attempts }, head, exchange);
      else exchange.end(refusal.status, TEXT_TYPE, `${refusal.message}\n`, true);
    },
    connectionsMax: connectionBounds().clickhouse,
  });
  const bound = await server.listen(host, port, false);
  if (bound === null) {
    throw new OperatingError(
      'embedded_listen_failed',
      `embedded ClickHouse cannot listen: host=${host} port=${port}. Free the port or choose another one.`,
    );
  }
  door = new Door(configuration.access, { host, port: bound });
  let told = 0;
  const telling = setInterval(() => {
    const inAll = server.refusedConnections;
    if (inAll > told)
      warehouse.log('warn', 'too many connections: more were closed as they came', {
        port: 'clickhouse',
        refused: inAll - told,
        inAll,
      });
    told = inAll;
  }, TELL_MS);
  return {
    port: bound,
    showWatermark: (time) => void (freshness.watermark = time),
    stopListening: () => server.stopListening(),
    close() {
      clearInterval(telling);
      server.close();
    },
  };
}

const TELL_MS = 1000;
const METHODS = 'GET, HEAD, POST, PUT, OPTIONS';

const TEXT_TYPE = { 'Content-Type': 'text/plain; charset=UTF-8' };

/** What the answers to all requests share. */
interface Serving {
  readonly warehouse: EmbeddedServer;
  readonly configuration: ChildConfiguration;
  readonly freshness: Freshness;
  readonly keys: KeyRing;
  /** Requests without a right key. */
  readonly attempts: FailedAttempts;
}

function route(serving: Serving, head: RequestHead, exchange: Exchange): void {
  const { method, path, query } = head;
  const { watermark } = serving.freshness;
  const reply = createReply(exchange);
  const { timezone } = serving.warehouse.engine;
  const context: HeaderContext = { queryId: queryIdOf(query), timezone, watermark };

  const isGreeting = path === '/' && query === '' && (method === 'GET' || method === 'HEAD');
  if (path === '/ping' || path === '/replicas_status' || isGreeting) {
    reply.whole(200, { ...commonHeaders(context), 'Content-Type': 'text/html; charset=UTF-8' }, 'Ok.\n');
  } else if (path !== '/') {
    const text = `There is no handle ${path}\n\nUse / or /ping for health checks.\nSend queries to / with POST or GET.\n`;
    reply.whole(404, commonHeaders(context), text);
  } else if (method === 'OPTIONS') {
    // No key is needed: browsers ask before they know whether they may send one.
    exchange.end(204, { Allow: METHODS, ...preflightHeaders(head, METHODS) }, '');
  } else if (!['GET', 'POST', 'PUT', 'HEAD'].includes(method)) {
    reply.whole(405, commonHeaders(context), 'Use GET or POST\n');
  } else {
    accept(serving, head, exchange, reply, context);
  }
}

function accept(serving: Serving, head: RequestHead, exchange: Exchange, reply: Reply, headers: HeaderContext): void {
  const { warehouse } = serving;
  const fail = (cause: unknown): void => answerFailure(warehouse, reply, headers, cause);
  let receiver: BodyReceiver | undefined;
  let query: Query;
  try {
    const request = parseRequest(head.method.toLowerCase(), head.query, head.headers);
    const user = userOf(serving, request, head);
    refuseSession(request);
    query = { request, user, reply, headers, runId: randomUUID() };
    receiver = receiveBody(request, warehouse.spool, user === 'engine', (statement) =>
      guard(warehouse, query, statement),
    );
  } catch (cause) {
    fail(cause);
    return;
  }
  const body = receiver;
  reply.whenAborted(() => body.drop());
  exchange.receive((chunk, isLast) => {
    if (reply.isAnswered || reply.isAborted) return;
    try {
      body.take(chunk);
    } catch (cause) {
      body.drop();
      fail(cause);
      return;
    }
    if (isLast)
      void run(warehouse, query, body)
        .catch(fail)
        .finally(() => body.drop());
  });
}

function userOf(
  { configuration, keys, attempts }: Serving,
  request: Query['request'],
  head: RequestHead,
): Query['user'] {
  const user = authenticate(request, configuration, keys);
  if (user !== null) return user;
  attempts.note(`${head.method} ${head.path} from ${head.remote}`);
  throw authenticationFailure(request, keys);
}

async function run(warehouse: EmbeddedServer, query: Query, receiver: BodyReceiver): Promise<void> {
  const { statement, body, encoding } = receiver.finish();
  // From here the body belongs to the insert: it is removed when that has ended, not when the client goes.
  query.reply.whenAborted(() => undefined);
  if (statement.kind !== 'read') query.reply.hold();
  if (statement.kind === 'read') await runRead(warehouse, query, statement);
  else if (statement.kind === 'command') await runCommand(warehouse, query, statement);
  else if (body !== undefined) await runInsert(warehouse, query, statement, body, encoding);
}

function answerFailure(warehouse: EmbeddedServer, reply: Reply, headers: HeaderContext, cause: unknown): void {
  if (!(cause instanceof EngineFailure)) {
    warehouse.log('error', 'a request failed for a reason of our own', {
      cause: cause instanceof Error ? cause.stack : String(cause),
    });
  }
  const failure =
    cause instanceof EngineFailure ? cause : new EngineFailure(1002, 'UNKNOWN_EXCEPTION', String(cause), { cause });
  if (reply.isAnswered && !reply.isAborted) {
    warehouse.log('warn', 'a query failed in the middle of its result, which was broken off', {
      code: failure.clickhouseCode,
      message: failure.message,
    });
  }
  reply.fail(failure, commonHeaders(headers), warehouse.engine.version);
}

/** Goes into a response header: printable characters only. */
function queryIdOf(queryString: string): string {
  const given = new URLSearchParams(queryString).get('query_id') ?? '';
  return /^[\x20-\x7e]{1,256}$/.test(given) ? given : randomUUID();
}
