/**
 * A filter of system calls: no connection out, no datagrams, no programs, no look into other processes. What is refused
 * fails as "not permitted". It is laid over all threads at once, so child.ts raises it, after launcher.ts has become the
 * child: starting a program is among what it refuses.
 *
 *     instruction (8 bytes)   0 operation (2)   2 jump if true   3 jump if false   4 operand (4)
 *     what a filter sees      0 number   4 machine   16 + 8 i argument i (low half first)
 */
import type { Native } from './libc.ts';
import type { Wall } from './report.ts';
import { systemCallsOf, type SystemCalls } from './system-calls.ts';

const LOAD = 0x20;
const AND = 0x54;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_BITS = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const REFUSE = 0x00050000 | 1; // EPERM
const UNKNOWN = 0x00050000 | 38; // ENOSYS: the C library then takes the older call, which the filter can read
const KILL = 0x80000000;

const SET_MODE_FILTER = 1;
/** All threads at once; and no mitigations that older kernels switch on with any filter, at a cost for each branch. */
const ALL_THREADS_AS_FAST = 1 | 4;
/** Calls of another way to call the kernel, which share this filter. */
const FOREIGN_CALLS = 0x40000000;
const CLONE_THREAD = 0x10000;
const FAST_OPEN = 0x20000000;
const INTERNET = [2, 10];
/** Addresses of this machine's network cards are asked for by it. */
const NETLINK = 16;
const TYPE_BITS = 0xf;
const STREAM = 1;
const TCP = [0, 6];

type Instruction = readonly [operation: number, whenTrue: number, whenFalse: number, operand: number];

export function raiseSeccomp(native: Native): Wall[] {
  const calls = systemCallsOf(process.arch);
  const isRaised =
    native.renounceRights() &&
    native.filter(calls.seccomp, SET_MODE_FILTER, ALL_THREADS_AS_FAST, bytesOf(filterOf(calls))) === 0;
  const by = isRaised ? 'seccomp' : `seccomp refused: ${native.error()}`;
  return [
    { name: 'network', stands: isRaised, by },
    { name: 'programs', stands: isRaised, by },
  ];
}

export function filterOf(calls: SystemCalls): Instruction[] {
  return [
    [LOAD, 0, 0, 4],
    [IF_EQUAL, 1, 0, calls.machine],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, 0],
    ...when(IF_AT_LEAST, FOREIGN_CALLS, [[RETURN, 0, 0, REFUSE]]),
    ...Object.values(calls.refused).flatMap((number) => when(IF_EQUAL, number, [[RETURN, 0, 0, REFUSE]])),
    ...when(IF_EQUAL, calls.clone3, [[RETURN, 0, 0, UNKNOWN]]),
    ...when(IF_EQUAL, calls.clone, [
      argument(0),
      ...when(IF_BITS, CLONE_THREAD, [[RETURN, 0, 0, ALLOW]]),
      [RETURN, 0, 0, REFUSE],
    ]),
    ...when(IF_EQUAL, calls.socket, sockets()),
    ...calls.sends.flatMap(([number, flags]) =>
      when(IF_EQUAL, number, [
        argument(flags),
        ...when(IF_BITS, FAST_OPEN, [[RETURN, 0, 0, REFUSE]]),
        [RETURN, 0, 0, ALLOW],
      ]),
    ),
    [RETURN, 0, 0, ALLOW],
  ];
}

/** Streams over the internet's protocols, so that the front can listen; connecting them is refused elsewhere. */
function sockets(): Instruction[] {
  const stream: Instruction[] = [
    argument(1),
    [AND, 0, 0, TYPE_BITS],
    ...when(IF_EQUAL, STREAM, [
      argument(2),
      ...TCP.flatMap((protocol) => when(IF_EQUAL, protocol, [[RETURN, 0, 0, ALLOW]])),
    ]),
    [RETURN, 0, 0, REFUSE],
  ];
  return [
    argument(0),
    ...when(IF_EQUAL, NETLINK, [[RETURN, 0, 0, ALLOW]]),
    ...INTERNET.flatMap((family) => when(IF_EQUAL, family, stream)),
    [RETURN, 0, 0, REFUSE],
  ];
}

/** Runs the block if the loaded value meets the operand, and goes on behind it otherwise. */
function when(operation: number, operand: number, block: readonly Instruction[]): Instruction[] {
  return [[operation, 0, block.length, operand], ...block];
}

function argument(index: number): Instruction {
  return [LOAD, 0, 0, 16 + 8 * index];
}

function bytesOf(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [operation, whenTrue, whenFalse, operand]] of program.entries()) {
    bytes.writeUInt16LE(operation, 8 * index);
    bytes.writeUInt8(whenTrue, 8 * index + 2);
    bytes.writeUInt8(whenFalse, 8 * index + 3);
    bytes.writeUInt32LE(operand, 8 * index + 4);
  }
  return bytes;
}
