/**
 * Attempts at changes that the gate has refused: told to the main thread for the audit log, a bounded number of them a
 * minute, because anybody can make them. Ingress thread.
 */

import type { RequestHead } from '../http/request-head.ts';
import { monotonicMs } from '../system/clock.ts';
import type { HttpProblem } from './http-answer.ts';
import type { FromIngress } from './thread-messages.ts';
import { findRoute } from './routes.ts';

const TOLD_PER_MINUTE = 10;
const MINUTE_MS = 60_000;

export class RefusedChanges {
  readonly #post: (message: FromIngress) => void;
  #minute = -1;
  #told = 0;
  #untold = 0;

  constructor(post: (message: FromIngress) => void) {
    this.#post = post;
  }

  /** `keyId`: of the key that was right but not enough. */
  note(head: RequestHead, { code, message }: HttpProblem, keyId = ''): void {
    const found = findRoute(head.method, head.path);
    if ('status' in found || found.route.method !== 'POST' || found.route.action === null) return;
    const minute = Math.floor(monotonicMs() / MINUTE_MS);
    if (minute !== this.#minute) this.#told = 0;
    this.#minute = minute;
    if (this.#told >= TOLD_PER_MINUTE) {
      this.#untold++;
      return;
    }
    this.#told++;
    const more = this.#untold === 0 ? '' : `; and ${this.#untold} more before it`;
    this.#untold = 0;
    const { scope, action } = found.route;
    const subject = found.parameters.join('/');
    const attempt = { actor: '', reason: '', scope, keyId, remote: head.remote, action, subject };
    this.#post({ kind: 'change-refused', attempt, message: `${code}: ${message}${more}` });
  }
}
