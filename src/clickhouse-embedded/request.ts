/**
 * Reads what a request asks for out of its URL and headers, the way ClickHouse's HTTP interface does. Pure. Child process.
 */
import { timingSafeEqual } from 'node:crypto';
import type { KeyRing } from '../access/keys.ts';
import { EngineFailure } from './engine-failure.ts';
import { HANDED_BODY_HEADER } from './handed-body.ts';

export interface Request {
  readonly method: string;
  /** The `query` parameter; the body is appended to it. */
  readonly query: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly queryId: string;
  readonly defaultFormat: string;
  readonly parameters: Map<string, string>;
  readonly settings: Map<string, string>;
  readonly contentType: string;
  readonly contentLength: number;
  readonly contentEncoding: string;
  readonly acceptEncoding: string;
  /** Name of the file that is the body; see handed-body.ts. */
  readonly handedBody: string;
  readonly isBuffered: boolean;
  /** Results of the Native format are written as of this revision. */
  readonly protocolVersion: number;
  /** ClickHouse's native compression, of the result and of the body. */
  readonly packsResult: boolean;
  readonly isBodyPacked: boolean;
  /** The engine asks for somebody else: with a client’s rights. */
  readonly isForClient: boolean;
  /** Only within a session that is there already. */
  readonly checksSession: boolean;
}

/** Of the engine's own requests: what follows is somebody else's question. */
export const FOR_CLIENT_HEADER = 'X-Hunt-For-Client';

/**
 * Not settings; of some nothing comes here, for there are no roles, quotas or sessions. Drivers send a `session_id` of their
 * own accord.
 */
const IGNORED_PARAMETERS = new Set([
  'query',
  'database',
  'user',
  'password',
  'query_id',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'quota_key',
  'role',
  'stacktrace',
  'client_protocol_version',
  'close_session',
  'compress',
  'decompress',
]);

export function parseRequest(method: string, queryString: string, headers: ReadonlyMap<string, string>): Request {
  const url = new URLSearchParams(queryString);
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of url) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!IGNORED_PARAMETERS.has(name)) settings.set(name, value);
  }
  const authorization = headers.get('authorization');
  const basic = basicCredentials(authorization);
  const bearer = authorization === undefined ? undefined : /^bearer (.*)$/i.exec(authorization)?.[1];
  return {
    method,
    query: url.get('query') ?? '',
    database: headers.get('x-clickhouse-database') ?? url.get('database') ?? 'default',
    username: headers.get('x-clickhouse-user') ?? basic?.username ?? url.get('user') ?? 'default',
    password: headers.get('x-clickhouse-key') ?? basic?.password ?? bearer ?? url.get('password') ?? '',
    queryId: url.get('query_id') ?? '',
    defaultFormat: headers.get('x-clickhouse-format') ?? url.get('default_format') ?? 'TabSeparated',
    parameters,
    settings,
    contentType: headers.get('content-type') ?? '',
    contentLength: Number(headers.get('content-length') ?? Number.NaN),
    contentEncoding: (headers.get('content-encoding') ?? '').trim().toLowerCase(),
    acceptEncoding: settings.get('enable_http_compression') === '1' ? (headers.get('accept-encoding') ?? '') : '',
    handedBody: headers.get(HANDED_BODY_HEADER.toLowerCase()) ?? '',
    isBuffered: settings.get('wait_end_of_query') === '1' || Number(settings.get('buffer_size') ?? 0) > 0,
    protocolVersion: Number(url.get('client_protocol_version') ?? 0) || 0,
    packsResult: isOn(url.get('compress')),
    isBodyPacked: isOn(url.get('decompress')),
    isForClient: headers.has(FOR_CLIENT_HEADER.toLowerCase()),
    checksSession: isOn(url.get('session_check')),
  };
}

function isOn(parameter: string | null): boolean {
  return parameter === '1' || parameter === 'true';
}

export function refuseSession({ checksSession }: Request): void {
  if (!checksSession) return;
  throw new EngineFailure(
    372,
    'SESSION_NOT_FOUND',
    'Session not found: here each request has a connection of its own, and no session outlives it; leave session_check out',
  );
}

export interface WriterCredentials {
  readonly writerUsername: string;
  readonly writerPassword: string;
}

/**
 * Who asks: the engine's own user, or an ordinary client, who is called `default` and shows a key for a password where there
 * are keys. null: anybody else. The engine may ask with a client's rights.
 */
export function authenticate(
  { username, password, isForClient }: Request,
  { writerUsername, writerPassword }: WriterCredentials,
  keys: KeyRing,
): 'engine' | 'public' | null {
  if (username === writerUsername) {
    if (!isSame(password, writerPassword)) return null;
    return isForClient ? 'public' : 'engine';
  }
  if (username !== 'default' && username !== '') return null;
  return keys.find(password) === null ? null : 'public';
}

export function authenticationFailure({ username }: Request, keys: KeyRing): EngineFailure {
  const advice = keys.isOpen
    ? 'The embedded ClickHouse knows the user default, without a password'
    : 'The embedded ClickHouse knows the user default, whose password is an API key: send X-ClickHouse-Key: KEY, Basic authorization, or password=KEY';
  return new EngineFailure(
    516,
    'AUTHENTICATION_FAILED',
    `${username}: Authentication failed: password is incorrect, or there is no user with such name. ${advice}`,
  );
}

/** The engine's name for the best encoding both sides know, or undefined for none. */
export function responseEncoding(acceptEncoding: string): { header: string; engine: string } | undefined {
  for (const [header, engine] of [
    ['zstd', 'zstd'],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['deflate', 'deflate'],
    ['lz4', 'lz4'],
  ] as const) {
    if (new RegExp(`(^|[,\\s])${header}\\s*($|,|;(?!\\s*q=0(\\.0*)?\\s*($|,)))`).test(acceptEncoding))
      return { header, engine };
  }
  return undefined;
}

const REQUEST_ENCODINGS = new Set(['gzip', 'deflate', 'br', 'zstd', 'xz', 'lz4', 'bz2', 'snappy']);

/** Checks the encoding of a body that the engine will unpack by itself. */
export function requestEncoding(contentEncoding: string): string | undefined {
  if (contentEncoding === '' || contentEncoding === 'identity') return undefined;
  if (REQUEST_ENCODINGS.has(contentEncoding)) return contentEncoding;
  throw new EngineFailure(48, 'NOT_IMPLEMENTED', `Unknown Content-Encoding ${JSON.stringify(contentEncoding)}`);
}

function basicCredentials(header: string | undefined): { username: string; password: string } | undefined {
  if (header === undefined || !/^basic /i.test(header)) return undefined;
  const decoded = Buffer.from(header.slice('basic '.length), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function isSame(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}
