/**
 * UTF-8 by hand: the core has no TextEncoder. Checking is for strings that came in (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF); writing is for answers and for JSON events.
 */
// hot path: no allocation

export function isUtf8(bytes: Uint8Array, start: number, length: number): boolean {
  const end = start + length;
  let p = start;
  while (p < end) {
    const b = bytes[p++];
    if (b < 0x80) continue;
    // C0, C1 and anything above F4 begin no character.
    if (b < 0xc2 || b > 0xf4) return false;
    const more = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
    if (p + more > end) return false;
    const second = bytes[p];
    // The second byte is what tells overlong forms (E0, F0), surrogates (ED) and too large ones (F4).
    const least = b === 0xe0 ? 0xa0 : b === 0xf0 ? 0x90 : 0x80;
    const most = b === 0xed ? 0x9f : b === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    if (more > 1 && (bytes[p + 1] & 0xc0) !== 0x80) return false;
    if (more > 2 && (bytes[p + 2] & 0xc0) !== 0x80) return false;
    p += more;
  }
  return true;
}

/** Bytes that `text` takes; a lone surrogate takes three, as U+FFFD. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) bytes += 1;
    else {
      bytes += 2;
      if (isPair(c, text, i)) i++;
    }
  }
  return bytes;
}

/** Whether `text` is well-formed: no surrogate without its other half. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0xd800 || c > 0xdfff) continue;
    if (!isPair(c, text, i)) return false;
    i++;
  }
  return true;
}

function isPair(c: number, text: string, i: number): boolean {
  return (c & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}

/** Writes one character, which is no surrogate, and returns where it ends. */
export function writeCharacter(out: Uint8Array, at: number, c: number): number {
  let p = at;
  if (c < 0x80) {
    out[p++] = c;
  } else if (c < 0x800) {
    out[p++] = 0xc0 | (c >> 6);
    out[p++] = 0x80 | (c & 63);
  } else if (c < 0x10000) {
    out[p++] = 0xe0 | (c >> 12);
    out[p++] = 0x80 | ((c >> 6) & 63);
    out[p++] = 0x80 | (c & 63);
  } else {
    out[p++] = 0xf0 | (c >> 18);
    out[p++] = 0x80 | ((c >> 12) & 63);
    out[p++] = 0x80 | ((c >> 6) & 63);
    out[p++] = 0x80 | (c & 63);
  }
  return p;
}

/** Writes `text` at `out[at]` and returns where it ends; a lone surrogate becomes U+FFFD. */
export function writeUtf8(out: Uint8Array, at: number, text: string): number {
  let p = at;
  for (let i = 0; i < text.length; i++) {
    let c = text.charCodeAt(i);
    if (c < 0x80) {
      out[p++] = c;
    } else if (c < 0x800) {
      out[p++] = 0xc0 | (c >> 6);
      out[p++] = 0x80 | (c & 63);
    } else if (isPair(c, text, i)) {
      c = 0x10000 + ((c & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      out[p++] = 0xf0 | (c >> 18);
      out[p++] = 0x80 | ((c >> 12) & 63);
      out[p++] = 0x80 | ((c >> 6) & 63);
      out[p++] = 0x80 | (c & 63);
    } else {
      if ((c & 0xf800) === 0xd800) c = 0xfffd;
      out[p++] = 0xe0 | (c >> 12);
      out[p++] = 0x80 | ((c >> 6) & 63);
      out[p++] = 0x80 | (c & 63);
    }
  }
  return p;
}

/** The text of bytes[start, start + length); what is not UTF-8 becomes U+FFFD. For names and messages, not for events. */
export function readUtf8(bytes: Uint8Array, start: number, length: number): string {
  let text = '';
  const end = start + length;
  let p = start;
  while (p < end) {
    const b = bytes[p];
    const size = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (p + size > end || !isUtf8(bytes, p, size)) {
      text += '\ufffd';
      p++;
      continue;
    }
    let c = size === 1 ? b : b & (0xff >> (size + 1));
    for (let i = 1; i < size; i++) c = (c << 6) | (bytes[p + i] & 63);
    text += String.fromCodePoint(c);
    p += size;
  }
  return text;
}
