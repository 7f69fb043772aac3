/** The reason phrases of HTTP's status codes. Pure. */

import { STATUS_CODES } from 'node:http';

export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Status';
}
