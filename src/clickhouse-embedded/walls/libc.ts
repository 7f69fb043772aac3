/**
 * The few calls of the C library that raise walls, by `koffi`, an optional dependency without a build step. Used by
 * launcher.ts and child.ts, each once and early; nothing of it runs afterwards. Linux only.
 */

export interface Native {
  /** -1 for a failure; see `error`. Arguments are integers, or bytes that are passed as an address. */
  call(number: number, ...args: readonly (number | Uint8Array)[]): number;
  /** Lays a filter of system calls; `instructions` of eight bytes each. */
  filter(number: number, operation: number, flags: number, instructions: Uint8Array): number;
  /** No more rights through programs that have them; needed for every wall. */
  renounceRights(): boolean;
  /** Lets a descriptor live on in the program that takes this one's place. */
  keepDescriptor(descriptor: number): void;
  /** Becomes another program; returns only when that failed. */
  become(program: string, args: readonly string[], environment: readonly string[]): void;
  /** Name of the last failure. */
  error(): string;
}

type Foreign = (...args: readonly unknown[]) => number;

/** The part of koffi that is used here. */
interface Koffi {
  load(path: string): { func(declaration: string): Foreign };
  struct(name: string, fields: Readonly<Record<string, string>>): unknown;
  errno(): number;
}

const PR_SET_NO_NEW_PRIVS = 38;
const F_SETFD = 2;

/** A reason in words where there is none to be had. */
export async function loadNative(): Promise<Native | string> {
  if (process.platform !== 'linux') return `there is none for ${process.platform}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `not known for ${process.arch}`;
  try {
    const { default: koffi } = (await import('koffi')) as unknown as { default: Koffi };
    return bind(koffi);
  } catch {
    return 'the optional package koffi is not installed';
  }
}

function bind(koffi: Koffi): Native {
  const library = koffi.load('libc.so.6');
  koffi.struct('sock_fprog', { count: 'uint16', instructions: 'void *' });
  const syscall = library.func('long syscall(long number, ...)');
  const prctl = library.func('int prctl(int option, ...)');
  const fcntl = library.func('int fcntl(int fd, int command, ...)');
  const execve = library.func('int execve(const char *path, const char **argv, const char **envp)');
  return {
    call: (number, ...args) =>
      syscall(number, ...args.flatMap((each): unknown[] => [typeof each === 'number' ? 'long' : 'void *', each])),
    filter: (number, operation, flags, instructions) =>
      syscall(number, 'long', operation, 'long', flags, 'sock_fprog *', {
        count: instructions.byteLength / 8,
        instructions,
      }),
    renounceRights: () => prctl(PR_SET_NO_NEW_PRIVS, 'ulong', 1, 'ulong', 0, 'ulong', 0, 'ulong', 0) === 0,
    keepDescriptor: (descriptor) => void fcntl(descriptor, F_SETFD, 'int', 0),
    become: (program, args, environment) => void execve(program, [...args, null], [...environment, null]),
    error: () => `errno=${koffi.errno()}`,
  };
}
