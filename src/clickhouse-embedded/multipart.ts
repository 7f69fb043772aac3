/**
 * Reads a `multipart/form-data` body (RFC 7578): the parts' names and bytes. Pure. Child process, for queries that come as a
 * form.
 */
import { EngineFailure } from './engine-failure.ts';

export interface Part {
  readonly name: string;
  readonly data: Buffer;
}

const DASHES = '--';
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';

/** Throws EngineFailure where the body does not read as its content type says. */
export function readMultipart(body: Buffer, contentType: string): Part[] {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))/i.exec(contentType);
  if (boundary === null) throw malformed('its content type names no boundary');
  const mark = DASHES + (boundary[1] ?? boundary[2] ?? '');
  const parts: Part[] = [];
  let at = body.indexOf(mark);
  if (at < 0) throw malformed('the boundary does not come');
  for (;;) {
    const start = at + mark.length;
    if (body.toString('latin1', start, start + 2) === DASHES) return parts;
    const headEnd = body.indexOf(HEAD_END, start);
    const next = headEnd < 0 ? -1 : body.indexOf(LINE_END + mark, headEnd + LINE_END.length);
    if (next < 0) throw malformed('a part does not end');
    const head = body.toString('utf8', start, headEnd);
    const name = /^content-disposition:[^\r\n]*?;\s*name="([^"\r\n]*)"/im.exec(head);
    if (name === null) throw malformed('a part has no name');
    parts.push({ name: name[1]!, data: body.subarray(headEnd + HEAD_END.length, next) });
    at = next + LINE_END.length;
  }
}

function malformed(why: string): EngineFailure {
  return new EngineFailure(36, 'BAD_ARGUMENTS', `The form could not be read: ${why}`);
}
