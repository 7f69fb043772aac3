/**
 * Under which names a server may be spoken to. A page of another name can make a browser resolve that name to this machine
 * (DNS rebinding) and then read and write as if it were from here; its requests still carry its own name in `Host`. Used on
 * both ports.
 *
 *   listening on loopback         localhost, 127.0.0.1, [::1] and the address itself, each with the port
 *   on one other address          that address with the port
 *   on all (0.0.0.0, ::)          addresses in digits, localhost and the machine's name, any port: no name of a stranger's among them
 *   --allow-host NAME[:PORT]      that, too; without PORT with any
 */

import { isIP } from 'node:net';
import { hostname } from 'node:os';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];
const WILDCARDS = ['0.0.0.0', '::', ''];
const HTTP_PORT = 80;

export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

export class HostRules {
  readonly #isWildcard: boolean;
  readonly #port: number;
  /** With the server's own port, and with any. */
  readonly #here: ReadonlySet<string>;
  readonly #anyPort: ReadonlySet<string>;
  readonly #exactly: ReadonlySet<string>;

  constructor({ host, port }: ListenAddress, allowed: readonly string[]) {
    const own = host.toLowerCase().replace(/^\[|\]$/g, '');
    const given = allowed.map((text) => hostOf(text)).filter((one) => one !== null);
    this.#port = port;
    this.#isWildcard = WILDCARDS.includes(own);
    this.#here = new Set([own, ...(isLoopback(own) ? LOOPBACK_NAMES : [])]);
    const wild = this.#isWildcard ? ['localhost', hostname().toLowerCase()] : [];
    this.#anyPort = new Set([...wild, ...given.flatMap((one) => (one.port === null ? [one.name] : []))]);
    this.#exactly = new Set(given.map((one) => `${one.name}:${one.port}`));
  }

  /** `header`: of the request; '': it has none, which no browser does. */
  accepts(header: string): boolean {
    if (header === '') return true;
    const asked = hostOf(header);
    if (asked === null) return false;
    const { name } = asked;
    const port = asked.port ?? HTTP_PORT;
    if (this.#anyPort.has(name) || this.#exactly.has(`${name}:${port}`)) return true;
    return this.#isWildcard ? isIP(name) !== 0 : port === this.#port && this.#here.has(name);
  }
}

/** A name in small letters, an address of IPv6 without its brackets; null: it is neither. */
export function hostOf(text: string): { readonly name: string; readonly port: number | null } | null {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(text.toLowerCase());
  const name = match?.[1] ?? match?.[2];
  if (name === undefined || (match?.[1] !== undefined && isIP(name) !== 6)) return null;
  return { name, port: match?.[3] === undefined ? null : Number(match[3]) };
}
