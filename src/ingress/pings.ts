/**
 * Pings: each WebSocket connection gets one every period, because proxies and NATs forget connections on which nothing
 * comes, and one that has given no sign of life for long is ended. Spread over the period, so that no moment has them all.
 * Ingress thread.
 */

export interface Pinged {
  /** Pings since it was last heard. */
  unheardPings: number;
  ping(): void;
  endSilent(): void;
}

export class Pings {
  /** One is pinged at each turn. */
  readonly #groups: readonly Set<Pinged>[];
  readonly #unheardMax: number;
  #joins = 0;
  #turns = 0;

  /** `turnMs`: how often `turn` is called. */
  constructor(pingMs: number, silentMsMax: number, turnMs: number) {
    this.#groups = Array.from({ length: Math.max(1, Math.round(pingMs / turnMs)) }, () => new Set());
    this.#unheardMax = Math.ceil(silentMsMax / pingMs);
  }

  add(connection: Pinged): void {
    this.#groups[this.#joins++ % this.#groups.length]!.add(connection);
  }

  remove(connection: Pinged): void {
    for (const group of this.#groups) if (group.delete(connection)) return;
  }

  turn(): void {
    for (const connection of this.#groups[this.#turns++ % this.#groups.length]!) {
      if (connection.unheardPings >= this.#unheardMax) connection.endSilent();
      else {
        connection.unheardPings++;
        connection.ping();
      }
    }
  }
}
