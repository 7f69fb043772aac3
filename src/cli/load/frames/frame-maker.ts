/**
 * Frames for the load generator, for any pipeline. What costs (values, JSON, protobuf) is made once, as templates; for each
 * frame its number and its slots (ids, times, keys) are put into a copy. A frame is a function of stream, seq and time, so
 * one that must be sent again is made again, byte for byte.
 */

import { transcodeLines, transcodeText } from '../../../../native-free-core/codec/json/json-frame.ts';
import { createSeq, setSeq, writeSeq } from '../../../../native-free-core/layout/seq.ts';
import type { Plan } from '../../../../native-free-core/plan/plan.ts';
import { outcomeText } from '../../../../native-free-core/base/outcomes.ts';
import { OperatingError } from '../../../errors.ts';
import type { EventSource } from '../events/event-source.ts';
import { seeded } from '../random.ts';
import { createIdSlot } from './id-slots.ts';
import type { EventFields } from './key-fields.ts';
import { createKeySlot } from './key-slots.ts';
import { placeSlots, slotTree, type PlacedEvent, type SlotField, type SlotTree } from './place-slots.ts';
import { EVENTS_PER_SEQ, type FrameInProgress, type Slot, type StreamIdentity } from './slot.ts';
import { makeTemplates, type TemplateShape, type Templates } from './templates.ts';
import { createTimeSlot } from './time-slots.ts';

export interface FrameShape extends TemplateShape {
  /** Of the run: ids that are numbers are dealt out to them in turn. */
  readonly connections: number;
  readonly zipfExponent: number;
  readonly seed: number;
}

export interface FrameMaker {
  /** Bytes of the frame with this number, its header included. */
  bytes(seq: number): number;
  /**
   * Writes the frame and returns where it ends. `stream`: unlike that of any other connection. `timeMs`: event time, whole
   * ms.
   */
  write(out: Buffer, at: number, seq: number, stream: StreamIdentity, timeMs: number): number;
}

/**
 * Fibonacci hashing: 2^32 over the golden ratio. Its upper bits are the ones that spread: as many as the longest list of
 * draws has.
 */
const HASH_FACTOR = 0x9e3779b1;
const HASH_SHIFT = 32 - 23;
/** Below this, copying word by word beats a call. */
const SMALL_FRAME_BYTES = 512;
const SHOWN_CHARACTERS_MAX = 120;

export function createFrameMaker(plan: Plan, fields: EventFields, source: EventSource, shape: FrameShape): FrameMaker {
  if (shape.eventsPerFrame > EVENTS_PER_SEQ)
    throw new OperatingError(
      'bad_option',
      `too many events for one frame: events-per-frame=${shape.eventsPerFrame} max=${EVENTS_PER_SEQ}`,
    );
  const random = seeded(shape.seed);
  const slotFields = slotsOf(fields, shape, random);
  const tree = slotTree(plan.message, slotFields);
  const next = (): PlacedEvent => placedEvent(plan, tree, source.next(random), slotFields.length);
  const templates = makeTemplates(shape, next, source.eventsMin, slotFields.length);
  return new TemplateFrames(
    templates,
    slotFields.map(({ slot }) => slot),
    shape.eventsPerFrame,
  );
}

function slotsOf(fields: EventFields, shape: FrameShape, random: () => number): SlotField[] {
  const { id, time, keys, required } = fields;
  const slots: SlotField[] = [];
  if (id !== null) slots.push({ slot: createIdSlot(id.at(-1)!, shape.connections), path: id, isRequired: true });
  for (const { path, keys: count } of keys) {
    const field = path.at(-1)!;
    const slot = createKeySlot(field, count, shape.zipfExponent, random);
    slots.push({ slot, path, isRequired: required.has(field) });
  }
  slots.push({ slot: createTimeSlot(time.at(-1)!), path: time, isRequired: true });
  return slots;
}

/** `json`: one event. */
function placedEvent(plan: Plan, tree: SlotTree, json: string, slots: number): PlacedEvent {
  const frame = transcodeText(plan, json, transcodeLines);
  const outcome = frame.count === 1 ? frame.outcomes[0]! : frame.count;
  if (outcome < 0) {
    const reason = frame.details.get(0)?.text ?? outcomeText(outcome).text;
    const shown = json.length > SHOWN_CHARACTERS_MAX ? `${json.slice(0, SHOWN_CHARACTERS_MAX)}…` : json;
    throw new OperatingError('event_refused', `the server would refuse an event of the load: ${reason} event=${shown}`);
  }
  return placeSlots(tree, frame.bytes, frame.starts[0]!, frame.ends[0]!, slots);
}

class TemplateFrames implements FrameMaker {
  readonly #templates: Templates;
  readonly #slots: readonly Slot[];
  readonly #frame: FrameInProgress;
  readonly #seq = createSeq();

  constructor(templates: Templates, slots: readonly Slot[], events: number) {
    this.#templates = templates;
    this.#slots = slots;
    const stream = { prefixLow: 0, prefixHigh: 0, run: 0, connection: 0 };
    const view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
    this.#frame = { view, at: 0, firstEvent: 0, events, seq: 0, stream, timeMs: 0, drawFrom: 0 };
  }

  bytes(seq: number): number {
    const { starts, count } = this.#templates;
    const t = (seq - 1) % count;
    return starts[t + 1]! - starts[t]!;
  }

  write(out: Buffer, at: number, seq: number, stream: StreamIdentity, timeMs: number): number {
    const { starts, count, seqAt, places } = this.#templates;
    const frame = this.#frame;
    const t = (seq - 1) % count;
    if (out.buffer !== frame.view.buffer) frame.view = new DataView(out.buffer);
    frame.at = out.byteOffset + at;
    frame.firstEvent = t * frame.events;
    frame.seq = seq;
    frame.stream = stream;
    frame.timeMs = timeMs;
    // Consecutive frames read on where the last one stopped; connections begin far from one another.
    const start = Math.imul(stream.prefixLow ^ stream.prefixHigh, HASH_FACTOR) >>> HASH_SHIFT;
    frame.drawFrom = (start + seq * frame.events) | 0;
    this.#copy(out, at, starts[t]!, starts[t + 1]!);
    setSeq(this.#seq, seq);
    writeSeq(frame.view, frame.at + seqAt[t]!, this.#seq);
    for (let slot = 0; slot < this.#slots.length; slot++) this.#slots[slot]!.fill(frame, places[slot]!);
    return at + starts[t + 1]! - starts[t]!;
  }

  #copy(out: Buffer, at: number, start: number, end: number): void {
    const { bytes, view } = this.#templates;
    if (end - start > SMALL_FRAME_BYTES) out.set(bytes.subarray(start, end), at);
    else copySmall(view, start, end, this.#frame.view, this.#frame.at);
  }
}

function copySmall(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const words = start + ((end - start) & ~3);
  const shift = at - start;
  for (let p = start; p < words; p += 4) to.setInt32(p + shift, from.getInt32(p, true), true);
  for (let p = words; p < end; p++) to.setUint8(p + shift, from.getUint8(p));
}
