/**
 * Who may speak to a port at all: the right host, no stranger's page, and where there are keys one of them. Made for each
 * ingress thread and in the embedded ClickHouse's process, from the same settings.
 */

import type { ErrorCode } from '../../native-free-core/base/error-codes.ts';
import type { RequestHead } from '../http/request-head.ts';
import { HostRules, type ListenAddress } from './hosts.ts';
import { KeyRing } from './keys.ts';
import { OriginRules } from './origins.ts';

/** Plain data: goes to other threads and to the child process. */
export interface AccessSettings {
  /** Empty: nobody needs a key. */
  readonly keyDigests: readonly string[];
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
}

export const OPEN_ACCESS: AccessSettings = { keyDigests: [], allowHosts: [], allowOrigins: [] };

export interface DoorRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export class Door {
  readonly keys: KeyRing;
  readonly origins: OriginRules;
  readonly #hosts: HostRules;
  readonly #address: ListenAddress;

  constructor(settings: AccessSettings, address: ListenAddress) {
    this.keys = new KeyRing(settings.keyDigests);
    this.origins = new OriginRules(settings.allowOrigins);
    this.#hosts = new HostRules(address, settings.allowHosts);
    this.#address = address;
  }

  /** For every request, WebSocket and health among them. null: come in. */
  refusal(head: RequestHead): DoorRefusal | null {
    const host = head.header('host');
    if (!this.#hosts.accepts(host)) return wrongHost(host, this.#address);
    const stranger = this.origins.stranger(head);
    return stranger === null ? null : foreignOrigin(stranger);
  }
}

const SHOWN = 100;

function wrongHost(host: string, { host: own, port }: ListenAddress): DoorRefusal {
  const name = host.slice(0, SHOWN);
  const message = `this server is not called so: host=${name}; it listens on ${own}:${port}; for the name of a proxy start it with --allow-host NAME`;
  return { status: 421, code: 'wrong_host', message };
}

function foreignOrigin(stranger: string): DoorRefusal {
  const message = `web pages of elsewhere may not speak to this server: origin=${stranger.slice(0, SHOWN)}; to let one in start it with --allow-origin ORIGIN`;
  return { status: 403, code: 'foreign_origin', message };
}
