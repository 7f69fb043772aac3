/** What reading a message of JSON needs besides its text. */

import type { UnknownFieldPolicy } from '../../plan/plan.ts';
import type { ByteWriter } from '../byte-writer.ts';
import type { UnknownFields } from '../unknown-fields.ts';

export interface JsonReading {
  readonly w: ByteWriter;
  readonly unknown: UnknownFields;
  readonly policy: UnknownFieldPolicy;
}
