/** What the routes of one ingress thread share. Made by ingress-thread.ts. */

import type { Admission } from './admission.ts';
import type { FromIngress, IngressThreadOptions, PipelineFacts } from './thread-messages.ts';
import type { Peers } from './peers.ts';
import type { Refusals } from './refusals.ts';
import type { Router } from './router.ts';

export interface IngressContext {
  readonly router: Router;
  readonly options: IngressThreadOptions;
  /** Of the version that decides. */
  pipeline: PipelineFacts;
  readonly peers: Peers;
  readonly admission: Admission;
  readonly refusals: Refusals;
  readonly received: { frames: number; bytes: number };
  readonly post: (message: FromIngress) => void;
}
