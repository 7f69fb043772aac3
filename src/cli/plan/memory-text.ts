/** Sizes of memory as `hunt plan` prints them. */

export function memoryText(count: number): string {
  return count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(2)} GiB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}
