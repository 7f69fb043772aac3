/**
 * Which web pages may speak to a server: its own and those of `--allow-origin`. Browsers send the page's `Origin`, or say in
 * `Sec-Fetch-Site` that a page of elsewhere is asking; programs send neither, and pass. Used on both ports.
 */

import type { RequestHead } from '../http/request-head.ts';

const FOREIGN_SITES = ['cross-site', 'same-site'];

export class OriginRules {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** The page's origin where it may read the answer; null: no page asks, or one that may not. */
  allowed(head: RequestHead): string | null {
    const origin = head.header('origin');
    return this.#allowed.has(origin) || isOwn(origin, head.header('host')) ? origin : null;
  }

  /** null: no page asks, or one that may. Else who it is. */
  stranger(head: RequestHead): string | null {
    const origin = head.header('origin');
    if (origin !== '') return this.allowed(head) === null ? origin : null;
    const site = head.header('sec-fetch-site');
    return FOREIGN_SITES.includes(site) ? `a page of elsewhere (sec-fetch-site: ${site})` : null;
  }
}

/** The host has been found to be one of ours before. */
function isOwn(origin: string, host: string): boolean {
  return host !== '' && (origin === `http://${host}` || origin === `https://${host}`);
}

/** `https://game.example`, with a port where it is not the scheme's own; null: it is not how browsers write one. */
export function originOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && url.origin !== 'null' && url.origin === text.toLowerCase() ? text.toLowerCase() : null;
}
