/**
 * A statement that ClickHouse (or the front on its behalf) refuses, with ClickHouse's own error code. Not an operating
 * error of ours: it is the answer to a client. Child process only.
 */

/** `Code: 62. DB::Exception: ... (SYNTAX_ERROR)`; the name is the last word in parentheses. */
const MESSAGE_PATTERN =
  /^(?:Code: (\d+)\. )?(?:DB::)?(?:Net)?(?:Exception: )?([\s\S]*?)(?: \(([A-Z][A-Z0-9_]+)\))?\s*$/;

export class EngineFailure extends Error {
  readonly clickhouseCode: number;
  readonly clickhouseName: string;

  constructor(clickhouseCode: number, clickhouseName: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineFailure';
    this.clickhouseCode = clickhouseCode;
    this.clickhouseName = clickhouseName;
  }

  static of(cause: unknown): EngineFailure {
    if (cause instanceof EngineFailure) return cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    const match = MESSAGE_PATTERN.exec(text);
    // 1002 is ClickHouse's UNKNOWN_EXCEPTION.
    return new EngineFailure(Number(match?.[1] ?? 1002), match?.[3] ?? 'UNKNOWN_EXCEPTION', match?.[2] ?? text, {
      cause,
    });
  }

  /** The body of an error answer, worded as ClickHouse words it: clients take the code and name from this text. */
  bodyText(version: string): string {
    return `Code: ${this.clickhouseCode}. DB::Exception: ${this.message} (${this.clickhouseName}) (version ${version})\n`;
  }
}

/** What an ordinary client may not do. The reason goes on from "user default". */
export function denied(reason: string): never {
  throw new EngineFailure(497, 'ACCESS_DENIED', `default: Not enough privileges. ${reason}`);
}

const BAD_REQUEST = new Set([
  6, 26, 27, 36, 38, 41, 42, 43, 44, 53, 56, 62, 69, 70, 72, 117, 130, 131, 162, 167, 168, 190, 321, 344, 349, 360, 427,
  441, 456, 457, 636, 675, 691,
]);
const NOT_FOUND = new Set([16, 46, 47, 50, 51, 60, 63, 73, 78, 81, 114, 115, 152, 289, 336]);
const FORBIDDEN = new Set([164, 192, 193, 201, 291, 452, 497, 516]);

/** The same classes ClickHouse uses; what is not the client's fault is 500. */
export function httpStatusOf(clickhouseCode: number): number {
  if (BAD_REQUEST.has(clickhouseCode)) return 400;
  if (NOT_FOUND.has(clickhouseCode)) return 404;
  if (FORBIDDEN.has(clickhouseCode)) return 403;
  switch (clickhouseCode) {
    case 159:
      return 408;
    case 194:
      return 401;
    case 202:
    case 439:
      return 503;
    case 223:
    case 307:
      return 413;
    case 48:
      return 501;
    default:
      return 500;
  }
}
