/**
 * Reads the body of one request and says what the statement is. The data of an insert goes to the spool chunk by chunk as
 * soon as the statement's head is known: at once when it stands in the URL. Everything else is a statement's text and is
 * kept in memory, up to its bound. Child process.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { BodySpool, SpooledBody } from './body-spool.ts';
import { unpackBlocks } from './codecs/compressed-blocks.ts';
import { decompressFrames } from './codecs/lz4.ts';
import { EngineFailure } from './engine-failure.ts';
import { unpackZstd } from '../http/zstd.ts';
import { BODY_BYTES_MAX, BODY_HEAD_BYTES, BODY_IN_MEMORY_BYTES_MAX, QUERY_BYTES_MAX } from './child-bounds.ts';
import { readMultipart } from './multipart.ts';
import { requestEncoding, type Request } from './request.ts';
import { insertWithData, parseStatement, type Statement } from './statement.ts';

export interface ReceivedStatement {
  readonly statement: Statement;
  /** For inserts with data. */
  readonly body: SpooledBody | undefined;
  /** The engine's name of the compression the body is still in. */
  readonly encoding: string | undefined;
}

export interface BodyReceiver {
  /** The chunk is only valid during the call. Throws EngineFailure. */
  take(chunk: Uint8Array): void;
  finish(): ReceivedStatement;
  /** Removes what was spooled, if anything. */
  drop(): void;
}

type Check = (statement: Statement) => void;

/**
 * `check` is called with each statement as soon as it is known, before its data is accepted. `isTrusted`: of the engine's
 * own user, who may hand the body of an insert over.
 */
export function receiveBody(request: Request, spool: BodySpool, isTrusted: boolean, check: Check): BodyReceiver {
  refuseSizes(request);
  const isMultipart = request.contentType.startsWith('multipart/form-data');
  const encoding = requestEncoding(request.contentEncoding);
  const isPlain = !isMultipart && encoding === undefined && !request.isBodyPacked;
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let nextLook = BODY_HEAD_BYTES;
  let body: SpooledBody | undefined;
  let statement: Statement | undefined;

  const startSpool = (head: Buffer): boolean => {
    // One character for each byte, so that an index into the text is an index into the bytes.
    const text = head.toString('latin1');
    const found = insertWithData(text);
    if (found === undefined) return false;
    statement = parseStatement(head.subarray(0, found.dataStart).toString('utf8'));
    check(statement);
    body = isTrusted && request.handedBody !== '' ? spool.adopt(request.handedBody) : spool.create();
    if (found.dataStart < head.length) body.write(head.subarray(found.dataStart));
    return true;
  };
  const keep = (chunk: Uint8Array): void => {
    keptBytes += chunk.byteLength;
    const bound = isPlain ? QUERY_BYTES_MAX : BODY_IN_MEMORY_BYTES_MAX;
    if (keptBytes > bound) {
      throw new EngineFailure(
        223,
        'QUERY_IS_TOO_LARGE',
        `Query is too large: bytes_max=${bound}. For an insert, name the query in the URL`,
      );
    }
    kept.push(Buffer.from(chunk));
  };

  const urlQuery = Buffer.from(request.query);
  // Packed blocks are unpacked here: the engine's library knows files of other kinds only.
  const isInUrl = !isMultipart && !request.isBodyPacked && urlQuery.length > 0 && startSpool(urlQuery);

  return {
    take(chunk) {
      if (body !== undefined) {
        body.write(chunk);
        return;
      }
      keep(chunk);
      if (!isPlain || keptBytes < nextLook) return;
      nextLook *= 2;
      if (startSpool(joinHead(urlQuery, Buffer.concat(kept)))) kept.length = 0;
    },
    finish() {
      if (body === undefined) {
        const whole = unpack(Buffer.concat(kept), encoding);
        const plain = request.isBodyPacked ? unpackBlocks(whole, BODY_IN_MEMORY_BYTES_MAX) : whole;
        const text = isMultipart ? fromMultipart(request, plain) : plain;
        const head = joinHead(urlQuery, text);
        if (!startSpool(head)) {
          statement = parseStatement(head.toString('utf8'));
          check(statement);
        }
      }
      if (statement === undefined) throw new EngineFailure(62, 'SYNTAX_ERROR', 'Syntax error: Empty query');
      return { statement, body, encoding: isInUrl ? encoding : undefined };
    },
    drop() {
      body?.remove();
    },
  };
}

/** What can be refused before a byte of the body has been read. */
function refuseSizes(request: Request): void {
  if (request.contentLength > BODY_BYTES_MAX) {
    throw new EngineFailure(
      307,
      'TOO_MANY_BYTES',
      `Request body is too large: BODY_BYTES_MAX=${BODY_BYTES_MAX}. Send smaller inserts`,
    );
  }
  if (request.query.length > QUERY_BYTES_MAX) throw new EngineFailure(223, 'QUERY_IS_TOO_LARGE', 'Query is too large');
}

function joinHead(urlQuery: Buffer, body: Buffer): Buffer {
  if (urlQuery.length === 0) return body;
  return body.length === 0 ? urlQuery : Buffer.concat([urlQuery, Buffer.from('\n'), body]);
}

/** A form carries the query and its parameters; other parts would be external tables, which the engine's library has not. */
function fromMultipart(request: Request, body: Buffer): Buffer {
  let query = '';
  for (const part of readMultipart(body, request.contentType)) {
    const value = part.data.toString('utf8');
    if (part.name === 'query') query = value;
    else if (part.name.startsWith('param_')) request.parameters.set(part.name.slice('param_'.length), value);
    else
      throw new EngineFailure(
        48,
        'NOT_IMPLEMENTED',
        `External table ${JSON.stringify(part.name)}: external data is not supported by the embedded ClickHouse`,
      );
  }
  return Buffer.from(query);
}

function unpack(body: Buffer, encoding: string | undefined): Buffer {
  const options = { maxOutputLength: BODY_IN_MEMORY_BYTES_MAX };
  try {
    if (encoding === undefined || body.length === 0) return body;
    if (encoding === 'gzip') return gunzipSync(body, options);
    if (encoding === 'deflate') return inflateSync(body, options);
    if (encoding === 'br') return brotliDecompressSync(body, options);
    if (encoding === 'zstd') return unpackZstd(body, BODY_IN_MEMORY_BYTES_MAX);
    if (encoding === 'lz4') return Buffer.from(decompressFrames(body, BODY_IN_MEMORY_BYTES_MAX));
  } catch (cause) {
    if (cause instanceof EngineFailure) throw cause;
    throw new EngineFailure(271, 'CANNOT_DECOMPRESS', `Request body could not be unpacked: encoding=${encoding}`, {
      cause,
    });
  }
  throw new EngineFailure(
    48,
    'NOT_IMPLEMENTED',
    `Content-Encoding ${encoding} is understood for inserts whose query is in the URL`,
  );
}
