/** Numbers of Linux's system calls, which differ between machines. From the kernel's tables; used by seccomp.ts. */

export interface SystemCalls {
  /** What the kernel calls this machine in a filter. */
  readonly machine: number;
  readonly seccomp: number;
  readonly socket: number;
  readonly clone: number;
  /** Its flags stand behind a pointer, where no filter sees them. */
  readonly clone3: number;
  /** Sends that could open a connection by a flag, and the argument that holds it. */
  readonly sends: readonly (readonly [number: number, argument: number])[];
  readonly refused: Readonly<Record<string, number>>;
}

const X64: SystemCalls = {
  machine: 0xc000003e,
  seccomp: 317,
  socket: 41,
  clone: 56,
  clone3: 435,
  sends: [
    [44, 3],
    [46, 2],
    [307, 3],
  ],
  refused: {
    connect: 42,
    fork: 57,
    vfork: 58,
    execve: 59,
    execveat: 322,
    ptrace: 101,
    pivot_root: 155,
    chroot: 161,
    mount: 165,
    umount2: 166,
    init_module: 175,
    kexec_load: 246,
    add_key: 248,
    request_key: 249,
    keyctl: 250,
    unshare: 272,
    perf_event_open: 298,
    open_by_handle_at: 304,
    setns: 308,
    process_vm_readv: 310,
    process_vm_writev: 311,
    finit_module: 313,
    bpf: 321,
    userfaultfd: 323,
    // And not io_uring_enter: the event loop of Node 22 and later has a ring by now and ends the process where it may not
    // use it.
    io_uring_setup: 425,
    io_uring_register: 427,
    pidfd_getfd: 438,
  },
};

const ARM64: SystemCalls = {
  machine: 0xc00000b7,
  seccomp: 277,
  socket: 198,
  clone: 220,
  clone3: 435,
  sends: [
    [206, 3],
    [211, 2],
    [269, 3],
  ],
  refused: {
    umount2: 39,
    mount: 40,
    pivot_root: 41,
    chroot: 51,
    unshare: 97,
    kexec_load: 104,
    init_module: 105,
    ptrace: 117,
    connect: 203,
    add_key: 217,
    request_key: 218,
    keyctl: 219,
    execve: 221,
    perf_event_open: 241,
    open_by_handle_at: 265,
    setns: 268,
    process_vm_readv: 270,
    process_vm_writev: 271,
    finit_module: 273,
    bpf: 280,
    execveat: 281,
    userfaultfd: 282,
    io_uring_setup: 425,
    io_uring_register: 427,
    pidfd_getfd: 438,
  },
};

export function systemCallsOf(arch: string): SystemCalls {
  return arch === 'arm64' ? ARM64 : X64;
}
