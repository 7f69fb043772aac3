/**
 * Shared memory as the stepper sees it: stand-ins for SharedArrayBuffer, its views and Atomics that hand every access to
 * `perform`. A protocol's script is evaluated with these in place of the real ones, so that its own code runs unchanged.
 */

export type AccessKind =
  'read' | 'write' | 'load' | 'store' | 'exchange' | 'compareExchange' | 'add' | 'wait' | 'notify';

/** One access to shared memory. `address`: the buffer's number times ADDRESS_STRIDE, plus the word. */
export interface Access {
  readonly kind: AccessKind;
  readonly address: number;
  /** What is written or added; of `wait` and `compareExchange`: what is expected; of `notify`: how many at most. */
  readonly value: number;
  /** Of `compareExchange`: what is written. */
  readonly replacement: number;
}

export type Perform = (access: Access) => number | string;

/** Words of a buffer at most. */
export const ADDRESS_STRIDE = 1 << 20;
/** The address of a wait that nobody ends: a pause before the next look. */
export const PAUSE = -1;

export interface ModelMemory {
  /** Names in a protocol's script -> what stands there. */
  readonly globals: { readonly Atomics: typeof Atomics } & Readonly<Record<string, unknown>>;
  shared(count: number): Int32Array;
}

class ModelBuffer {
  readonly byteLength: number;
  constructor(byteLength: number) {
    this.byteLength = byteLength;
  }
}

export function modelMemory(perform: Perform): ModelMemory {
  const buffers: ModelBuffer[] = [];
  const views = new WeakMap<object, number>();
  const baseOf = (buffer: unknown): number => buffers.indexOf(buffer as ModelBuffer) * ADDRESS_STRIDE;
  const plain = (kind: 'read' | 'write', address: number, value: number): number =>
    Number(perform({ kind, address, value, replacement: 0 }));

  class SharedBuffer extends ModelBuffer {
    constructor(byteLength: number) {
      super(byteLength);
      buffers.push(this);
    }
  }
  const words = (buffer: ModelBuffer, byteOffset: number): object => {
    const base = baseOf(buffer) + (byteOffset >> 2);
    const view = new Proxy(Object.create(null) as object, {
      get: (_, key) => (isIndex(key) ? plain('read', base + Number(key), 0) : undefined),
      set: (_, key, value) => {
        if (!isIndex(key)) return false;
        plain('write', base + Number(key), value as number);
        return true;
      },
    });
    views.set(view, base);
    return view;
  };
  function Int32Words(...args: [unknown, number?, number?]): object {
    const [first, byteOffset = 0] = args;
    return first instanceof ModelBuffer ? words(first, byteOffset) : Reflect.construct(Int32Array, args);
  }
  function Bytes(...args: [unknown]): object {
    // No protocol reads single bytes; what tests write into records are words.
    return args[0] instanceof ModelBuffer ? Object.freeze({}) : Reflect.construct(Uint8Array, args);
  }
  function View(buffer: ModelBuffer): object {
    const base = baseOf(buffer);
    return {
      getUint32: (at: number) => plain('read', base + (at >> 2), 0) >>> 0,
      getInt32: (at: number) => plain('read', base + (at >> 2), 0),
    };
  }
  const atomic = (kind: AccessKind, view: object, at: number, value = 0, replacement = 0): number | string =>
    perform({ kind, address: views.has(view) ? views.get(view)! + at : PAUSE, value, replacement });
  const atomics = {
    load: (view: object, at: number) => atomic('load', view, at),
    store: (view: object, at: number, value: number) => atomic('store', view, at, value),
    add: (view: object, at: number, value: number) => atomic('add', view, at, value),
    sub: (view: object, at: number, value: number) => atomic('add', view, at, -value),
    exchange: (view: object, at: number, value: number) => atomic('exchange', view, at, value),
    compareExchange: (view: object, at: number, expected: number, replacement: number) =>
      atomic('compareExchange', view, at, expected, replacement),
    wait: (view: object, at: number, expected: number) => atomic('wait', view, at, expected),
    notify: (view: object, at: number, count = Infinity) => atomic('notify', view, at, count),
  };
  return {
    globals: {
      SharedArrayBuffer: SharedBuffer,
      Int32Array: Int32Words,
      Uint8Array: Bytes,
      DataView: View,
      Atomics: atomics as unknown as typeof Atomics,
    },
    shared: (count) => words(new SharedBuffer(count * 4), 0) as Int32Array,
  };
}

function isIndex(key: string | symbol): boolean {
  return typeof key === 'string' && /^\d+$/.test(key);
}
