/**
 * ClickHouse's HTTP interface over uWebSockets.js: routes, reads requests, hands statements to run-statement.ts. One thread, the child's main one;
 * it copies bytes and waits for nothing.
 */
import { randomUUID } from 'node:crypto';
import uWS, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { OperatingError } from '../../errors.ts';
import { commonHeaders, type HeaderContext } from './answer-headers.ts';
import { receiveBody, type BodyReceiver } from './body-receiver.ts';
import { EngineFailure } from './engine-failure.ts';
import type { ChildConfiguration } from './protocol.ts';
import { createReply, type Reply } from './reply.ts';
import { authenticate, parseRequest } from './request.ts';
import { guard, runCommand, runInsert, runRead, type Query } from './run-statement.ts';
import type { Warehouse } from './warehouse.ts';

/** The library shares ports (SO_REUSEPORT) unless told this; two engines on one port would answer in turns. */
const EXCLUSIVE_PORT = 1;

export interface Front {
  readonly port: number;
  /** Told to clients from now on in `X-Hunt-Watermark`; ms UTC. */
  showWatermark(time: number): void;
  /** Accepts no more connections; what runs goes on. */
  stopListening(): void;
  close(): void;
}

/** How far SQL can see: SEMANTICS.md §12. */
interface Freshness {
  /** ms UTC; 0: nobody has said yet. */
  watermark: number;
}

export function openFront(warehouse: Warehouse, configuration: ChildConfiguration): Promise<Front> {
  const app = uWS.App();
  const freshness = { watermark: 0 };
  app.any('/*', (response, request) => route(warehouse, configuration, freshness, response, request));
  return listen(app, freshness, configuration.host, configuration.port);
}

async function listen(app: TemplatedApp, freshness: Freshness, host: string, port: number): Promise<Front> {
  let socket = await bind(app, host, port);
  if (port === 0) {
    // Bound so, the port could not be taken again for a minute after a crash: the library lets go of old connections
    // (SO_REUSEADDR) only where it is told a port.
    const chosen = uWS.us_socket_local_port(socket);
    uWS.us_listen_socket_close(socket);
    socket = await bind(app, host, chosen);
  }
  return {
    port: uWS.us_socket_local_port(socket),
    showWatermark: (time) => void (freshness.watermark = time),
    stopListening: () => uWS.us_listen_socket_close(socket),
    close: () => void app.close(),
  };
}

function bind(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket> {
  // The library takes host, port and options together; its type declarations list only two of the three.
  const listenTo = app.listen.bind(app) as unknown as (
    host: string,
    port: number,
    options: number,
    opened: (socket: us_listen_socket | false) => void,
  ) => void;
  return new Promise((resolve, reject) => {
    listenTo(host, port, EXCLUSIVE_PORT, (socket) => {
      if (socket !== false) resolve(socket);
      else
        reject(
          new OperatingError(
            'EMBEDDED_LISTEN_FAILED',
            `embedded ClickHouse cannot listen: host=${host} port=${port}. Free the port or choose another one.`,
          ),
        );
    });
  });
}

function route(
  warehouse: Warehouse,
  configuration: ChildConfiguration,
  { watermark }: Freshness,
  response: HttpResponse,
  request: HttpRequest,
): void {
  // The request object dies with this call: everything is copied out of it first.
  const method = request.getMethod();
  const path = request.getUrl();
  const queryString = request.getQuery() ?? '';
  const headers = new Map<string, string>();
  request.forEach((name, value) => headers.set(name, value));
  const reply = createReply(response, method);
  const context: HeaderContext = { queryId: queryIdOf(queryString), timezone: warehouse.engine.timezone, watermark };

  const isGreeting = path === '/' && queryString === '' && (method === 'get' || method === 'head');
  if (path === '/ping' || path === '/replicas_status' || isGreeting) {
    reply.whole('200 OK', { ...commonHeaders(context), 'Content-Type': 'text/html; charset=UTF-8' }, 'Ok.\n');
  } else if (path !== '/') {
    const text = `There is no handle ${path}\n\nUse / or /ping for health checks.\nSend queries to / with POST or GET.\n`;
    reply.whole('404 Not Found', commonHeaders(context), text);
  } else if (!['get', 'post', 'put', 'head'].includes(method)) {
    reply.whole('405 Method Not Allowed', commonHeaders(context), 'Use GET or POST\n');
  } else {
    accept(warehouse, configuration, response, reply, context, () => parseRequest(method, queryString, headers));
  }
}

function accept(
  warehouse: Warehouse,
  configuration: ChildConfiguration,
  response: HttpResponse,
  reply: Reply,
  headers: HeaderContext,
  parse: () => Query['request'],
): void {
  const fail = (cause: unknown): void => answerFailure(warehouse, reply, headers, cause);
  let receiver: BodyReceiver | undefined;
  let query: Query;
  try {
    const request = parse();
    const user = authenticate(request, configuration.writerUsername, configuration.writerPassword);
    query = { request, user, reply, headers, runId: randomUUID() };
    receiver = receiveBody(request, warehouse.spool, (statement) => guard(warehouse, query, statement));
  } catch (cause) {
    fail(cause);
    return;
  }
  const body = receiver;
  reply.whenAborted(() => body.drop());
  response.onData((chunk, isLast) => {
    if (reply.isAnswered || reply.isAborted) return;
    try {
      body.take(new Uint8Array(chunk));
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

async function run(warehouse: Warehouse, query: Query, receiver: BodyReceiver): Promise<void> {
  const { statement, body, encoding } = receiver.finish();
  // From here the body belongs to the insert: it is removed when that has ended, not when the client goes.
  query.reply.whenAborted(() => undefined);
  if (statement.kind === 'read') await runRead(warehouse, query, statement);
  else if (statement.kind === 'command') await runCommand(warehouse, query, statement);
  else if (body !== undefined) await runInsert(warehouse, query, statement, body, encoding);
}

function answerFailure(warehouse: Warehouse, reply: Reply, headers: HeaderContext, cause: unknown): void {
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
