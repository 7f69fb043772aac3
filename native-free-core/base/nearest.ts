/** The known name that a misspelt one most likely means. Called wherever a name is unknown: in a pipeline, in an event. */

/** Beyond a third of its letters a name is not misspelt but another one. */
const DISTANCE_SHARE = 3;
const SHARED_LENGTH_MIN = 4;

export function nearest(name: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / DISTANCE_SHARE)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best ?? candidates.find((candidate) => begins(name, candidate));
}

/** A name that was cut short, or to which something was added. */
function begins(name: string, candidate: string): boolean {
  const shorter = Math.min(name.length, candidate.length);
  return shorter >= SHARED_LENGTH_MIN && name.slice(0, shorter) === candidate.slice(0, shorter);
}

/** Insertions, deletions, replacements and swaps of neighbours between two words; at least `limit` where it is more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
