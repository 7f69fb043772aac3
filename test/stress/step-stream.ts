/**
 * The seeded stream of the bit-exact stress: one stream in event order of sending, in which a fifth of the events come out
 * of order by up to two windows, some lie beyond every window, times repeat, a few players live in the future, and some
 * events are sent twice under the same id. Used by bit-exact.ts.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { seeded } from '../random.ts';

export interface StepOptions {
  readonly seed: number;
  readonly events: number;
  readonly players: number;
  readonly hunts: number;
  readonly devices: number;
  /** Event time of the last event, ms UTC; the first lies `events * stepMs` before it. */
  readonly endsAt: number;
  /** From one event to the next, on average; default 10. */
  readonly stepMs?: number;
}

const STEP_MS = 10;
const WINDOW_MS = 300_000;
const BEYOND_MS = 3 * 3_600_000;
/** Every so many players lives ahead of the server's clock. */
const FUTURE_EVERY = 97;

/** Serialised events, lazily. */
export function* steps(options: StepOptions): Generator<Uint8Array> {
  const type = new protobuf.Root()
    .loadSync(join(import.meta.dirname, 'steps.proto'), { keepCase: true })
    .lookupType('stress.Step');
  const random = seeded(options.seed);
  const below = (n: number): number => Math.floor(random() * n);
  // Squared: few players are many of the events.
  const skewed = (n: number): number => Math.floor(random() ** 2 * n);
  const stepMs = options.stepMs ?? STEP_MS;
  let time = options.endsAt - options.events * stepMs;
  let previous: Uint8Array | null = null;
  for (let i = 0; i < options.events; i++) {
    if (previous !== null && random() < 0.01) {
      yield previous;
      continue;
    }
    if (random() < 0.7) time += Math.floor((stepMs * 2 * random()) / 0.7);
    const player = 1 + skewed(options.players);
    const at = timeOf(time, player, options.endsAt, random);
    const event: Record<string, unknown> = {
      id: `s${options.seed}-${i}`,
      player,
      hunt: 1 + skewed(options.hunts),
      at,
      good: random() < 0.4,
      place: `place-${skewed(60)}`,
    };
    if (random() < 0.8) event['device'] = `device-${skewed(options.devices)}`;
    if (random() < 0.9) event['amount'] = amountOf(random);
    if (random() < 0.85) event['points'] = below(2 ** 31) * (random() < 0.1 ? -1 : 1);
    if (random() < 0.6) event['tool'] = [0, 1, 7, 5][below(4)];
    if (random() < 0.7) Object.assign(event, { lat: 48 + random() / 10, lon: 11 + random() });
    const bytes = type.encode(type.fromObject(event)).finish();
    if (random() < 0.02) previous = bytes;
    yield bytes;
  }
}

function timeOf(time: number, player: number, now: number, random: () => number): number {
  if (player % FUTURE_EVERY === 0 && random() < 0.5) return now + Math.floor(random() * WINDOW_MS);
  const kind = random();
  if (kind < 0.2) return time - Math.floor(random() * 2 * WINDOW_MS);
  if (kind < 0.25) return time - WINDOW_MS * 2 - Math.floor(random() * BEYOND_MS);
  return time;
}

/** Cents, halves of cents that must be rounded, large and negative ones. */
function amountOf(random: () => number): number {
  const kind = random();
  if (kind < 0.5) return Math.floor(random() * 100_000) / 100;
  if (kind < 0.6) return (Math.floor(random() * 200_000) - 100_000) / 200;
  if (kind < 0.9) return (random() - 0.5) * 2000;
  return (random() - 0.5) * 2e9;
}
