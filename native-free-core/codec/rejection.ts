/**
 * What a rejection says besides its code: which field, which value, where. Made only for what is refused, by the readers of
 * JSON and by decide/tell-refusals.ts; read in answers and in the table `dead_letters`.
 */

import { readUtf8, utf8Bytes, writeUtf8 } from './utf8.ts';

/** All texts are bounded, and printable. */
export interface RejectionDetail {
  /**
   * Path of the field by its names in the .proto, with the element: `login.success`, `items[2]`, `tags["a"]`; '' where no
   * field is to blame.
   */
  readonly field: string;
  /** The value as it came, a text in quotes; '' where there is none. */
  readonly value: string;
  /** The sentence: field, what was expected, value. */
  readonly text: string;
}

const FIELD_CHARACTERS_MAX = 100;
const VALUE_CHARACTERS_MAX = 60;
const TEXT_CHARACTERS_MAX = 300;
/** Of a value in bytes that are looked at; a character takes up to four. */
export const VALUE_BYTES_MAX = 4 * (VALUE_CHARACTERS_MAX + 1);

/** Cut to so many characters, and what cannot be printed escaped. */
export function printable(text: string, charactersMax: number): string {
  let out = '';
  let characters = 0;
  for (const character of text) {
    if (++characters > charactersMax) return `${out}…`;
    out += character < ' ' || (character >= '\u007f' && character < '\u00a0') ? escapeOf(character) : character;
  }
  return out;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A value as people see it; a text in quotes. */
export function shownText(text: string): string {
  const shown = printable(text.replace(/["\\]/g, '\\$&'), VALUE_CHARACTERS_MAX);
  return `"${shown}"`;
}

export function shownJson(text: string): string {
  return printable(text.replace(/\s+/g, ' '), VALUE_CHARACTERS_MAX);
}

export function rejection(field: string, value: string, text: string): RejectionDetail {
  return {
    field: printable(field, FIELD_CHARACTERS_MAX),
    value,
    text: printable(text, TEXT_CHARACTERS_MAX),
  };
}

/** `login.success: expected bool, got "yes"`. `value` has been bounded. */
export function expectedGot(field: string, expected: string, value: string): RejectionDetail {
  const name = printable(field, FIELD_CHARACTERS_MAX);
  return rejection(field, value, `${name === '' ? '' : `${name}: `}expected ${expected}, got ${value}`);
}

/** With the place of the event in its frame, counted from 1 as rows of a file are. */
export function placed({ field, value, text }: RejectionDetail, index: number): RejectionDetail {
  return { field, value, text: `${text}; row ${index + 1}` };
}

const SEPARATOR = '\0';

/** As dead letters keep it in a block; none of the texts holds the separator. */
export function packDetail({ field, value, text }: RejectionDetail): Uint8Array {
  const packed = [field, value, text].join(SEPARATOR);
  const bytes = new Uint8Array(utf8Bytes(packed));
  writeUtf8(bytes, 0, packed);
  return bytes;
}

/** null where there are no bytes. */
export function unpackDetail(bytes: Uint8Array, start: number, length: number): RejectionDetail | null {
  if (length === 0) return null;
  const [field, value, text] = readUtf8(bytes, start, length).split(SEPARATOR);
  return { field, value, text };
}
