/**
 * Why the bytes of a frame are none, in words; and fields that frames do not have. Called by decide/tell-refusals.ts for
 * frames that were refused or had such fields.
 */

import { rejection, shownJson, type RejectionDetail } from './rejection.ts';
import { addUnknownField, type UnknownFields } from './unknown-fields.ts';
import { readUtf8 } from './utf8.ts';
import { readTag, readWords, skipField, WIRE_BYTES, WIRE_FIXED64 } from './wire.ts';

const SEQ = 1;
const EVENTS = 2;
const FRAME_KEYS: readonly string[] = ['seq', 'events'];
const BYTES_SHOWN = 12;
const JSON_BEGINS = '{[ \t\r\n';

/**
 * The first thing that is wrong with the frame bytes[at, end); null: nothing is. `unknown`: where other fields are noted.
 */
export function walkFrame(
  bytes: Uint8Array,
  at: number,
  end: number,
  unknown: UnknownFields | null,
): RejectionDetail | null {
  let seqs = 0;
  for (let p = at; p < end;) {
    const start = p;
    p = readTag(bytes, p);
    const tag = p < 0 || p > end ? 0 : readWords[0];
    const number = tag >>> 3;
    const wire = tag & 7;
    const isKnown = (number === SEQ && wire === WIRE_FIXED64) || (number === EVENTS && wire === WIRE_BYTES);
    const next = tag === 0 ? -1 : skipField(bytes, p, end, tag, 0);
    if (next < 0) return broken(bytes, at, start, end, isKnown ? FRAME_KEYS[number - 1] : '');
    if (isKnown && p - start > 1)
      return rejection(
        FRAME_KEYS[number - 1],
        '',
        `the tag of ${FRAME_KEYS[number - 1]} takes more bytes than it needs, at byte ${start - at}`,
      );
    if (isKnown && number === SEQ && seqs++ > 0) return rejection('seq', '', `seq: given twice, at byte ${start - at}`);
    if (!isKnown && unknown !== null) addUnknownField(unknown, `field ${number} of the frame`, () => []);
    p = next;
  }
  return null;
}

function broken(bytes: Uint8Array, at: number, from: number, end: number, field: string): RejectionDetail {
  const where = `at byte ${from - at} of ${end - at}`;
  if (field !== '') return rejection(field, '', `${field}: the value goes beyond the end of the frame, ${where}`);
  const isJson = from === at && JSON_BEGINS.includes(String.fromCharCode(bytes[at]));
  const begins = shownJson(readUtf8(bytes, at, Math.min(BYTES_SHOWN, end - at)));
  const advice = isJson ? `; it begins with ${begins}: JSON is sent as application/json or hunt.v1.json` : '';
  return rejection('', '', `not a protobuf Frame: no field can stand ${where}${advice}`);
}
