/**
 * What this process runs on, in the words of error messages: binaries that do not load are named together with it. Any
 * thread.
 */

/** `node=22.12.0 platform=linux arch=x64 libc=glibc-2.36` */
export function describeSystem(): string {
  const { platform, arch, versions } = process;
  return `node=${versions.node} platform=${platform} arch=${arch}${platform === 'linux' ? ` libc=${libc()}` : ''}`;
}

/**
 * Why a native binary did not load, in one short line, out of the loader's words and those that libraries put around them.
 */
export function loadFailure(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const glibc = /version `GLIBC_([\d.]+)' not found/.exec(text)?.[1];
  if (glibc !== undefined) return `its binary needs glibc ${glibc}`;
  if (/musl|ld-linux[\w.-]*: cannot open|libresolv[\w.-]*: cannot open/.test(text)) return 'its binary needs glibc';
  if (/Cannot find (module|package)|not installed|no native binding/i.test(text))
    return 'there is no binary for this system';
  return text.replace(/\s+/g, ' ').slice(0, 300);
}

function libc(): string {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : `glibc-${header.glibcVersionRuntime}`;
}
