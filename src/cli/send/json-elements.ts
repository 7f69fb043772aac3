/**
 * The events of a JSON text that is no NDJSON, as they stand in it, however large it is: the elements of a list, the
 * `events` of a frame, or values one after the other over any number of lines. Cut by brackets and quotes alone, so that no
 * digit is lost; whether a piece is JSON its reader finds out. Used by rows.ts.
 */

import { OperatingError } from '../../errors.ts';

/** An event without end would fill the memory. */
const ELEMENT_CHARACTERS_MAX = 16 << 20;

/** Yields the text of each event. Throws where the text ends within one, or goes on behind the list. */
export async function* elementsOf(chunks: AsyncIterable<string>, file: string): AsyncIterable<string> {
  const splitter = new ElementSplitter(file);
  for await (const chunk of chunks) yield* splitter.feed(chunk);
  splitter.end();
}

class ElementSplitter {
  readonly #file: string;
  /** Brackets that are open around the events: 0, or 1 within a list. */
  #base = 0;
  #begun = false;
  #ended = false;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** The value that is being read; '' between two. */
  #open = '';
  #elements = 0;

  readonly #ignoresRest: boolean;

  constructor(file: string, ignoresRest = false) {
    this.#file = file;
    this.#ignoresRest = ignoresRest;
  }

  *feed(chunk: string): Iterable<string> {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i]!;
      if (this.#ended) {
        if (this.#ignoresRest) return;
        if (c.trim() !== '') throw this.#malformed('something stands behind the end of the list');
        start = i + 1;
      } else if (this.#quoted) {
        this.#inQuotes(c);
        if (this.#quoted || this.#depth > this.#base) continue;
        // A text that ended is a value of its own.
        yield* this.#close(chunk.slice(start, i + 1));
        start = i + 1;
      } else if (c === '"') {
        this.#quoted = true;
      } else if (c === '{' || c === '[') {
        this.#depth++;
        if (!this.#begun && c === '[') {
          this.#base = 1;
          start = i + 1;
        }
      } else if (c === '}' || c === ']') {
        this.#depth--;
        if (this.#depth < 0 && this.#base === 0) throw this.#malformed(`a ${c} closes nothing`);
        if (this.#depth < this.#base) {
          yield* this.#close(chunk.slice(start, i));
          this.#ended = true;
          start = i + 1;
        } else if (this.#depth === this.#base) {
          yield* this.#close(chunk.slice(start, i + 1));
          start = i + 1;
        }
      } else if (this.#depth === this.#base && (c === ',' || c.trim() === '')) {
        yield* this.#close(chunk.slice(start, i));
        start = i + 1;
      }
      if (c.trim() !== '') this.#begun = true;
    }
    this.#open += chunk.slice(start);
    if (this.#open.length > ELEMENT_CHARACTERS_MAX) throw this.#malformed('an event is too long or does not end');
  }

  end(): void {
    if (this.#open.trim() !== '' || this.#depth > 0 || this.#quoted)
      throw this.#malformed(`it ends within ${this.#open.trim() === '' ? 'its list' : `event ${this.#elements + 1}`}`);
  }

  #inQuotes(c: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (c === '\\') this.#escaped = true;
    else if (c === '"') this.#quoted = false;
  }

  *#close(last: string): Iterable<string> {
    const text = (this.#open + last).trim();
    this.#open = '';
    if (text === '') return;
    this.#elements++;
    yield text;
  }

  #malformed(reason: string): OperatingError {
    return new OperatingError(
      'json_malformed',
      `the JSON file cannot be read to its end: file=${this.#file} reason=${reason}`,
    );
  }
}

/** The events of a frame `{"events": […]}` that stands in one text, as they stand in it. */
export function eventsOfFrame(frame: string, file: string): string[] {
  const splitter = new ElementSplitter(file, true);
  const at = memberStart(frame, 'events');
  return [...splitter.feed(frame.slice(at))];
}

/** Where the value of a member of the object begins; the text is JSON and has such a member. */
function memberStart(text: string, name: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === '"') {
      const from = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      const colon = text.slice(i + 1).search(/\S/) + i + 1;
      if (depth === 1 && text[colon] === ':' && JSON.parse(text.slice(from, i + 1)) === name)
        return text.indexOf('[', colon);
    }
  }
  return 0;
}
