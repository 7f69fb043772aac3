package peers;

/** A sliding window as a ring of hops, at a place of its own in an entity's state. */
final class Hops {
  private final int at;
  private final int count;
  private final long hopMs;

  Hops(int at, long windowMs, long hopMs) {
    this.at = at;
    this.count = (int) (windowMs / hopMs) + 1;
    this.hopMs = hopMs;
  }

  /** The place behind this window. */
  int end() {
    return at + count;
  }

  /** The entity's clock has moved: hops that have left the window are emptied. */
  void move(long[] state, long before, long now) {
    long from = Math.floorDiv(before, hopMs);
    long to = Math.floorDiv(now, hopMs);
    if (to - from >= count) {
      for (int i = at; i < end(); i++) state[i] = 0;
    } else {
      for (long hop = from + 1; hop <= to; hop++) state[at + (int) Math.floorMod(hop, (long) count)] = 0;
    }
  }

  void add(long[] state, long clock, long time, long value) {
    int place = place(clock, time);
    if (place >= 0) state[place] += value;
  }

  void raise(long[] state, long clock, long time, long value) {
    int place = place(clock, time);
    if (place >= 0) state[place] = Math.max(state[place], value);
  }

  long sum(long[] state) {
    long sum = 0;
    for (int i = at; i < end(); i++) sum += state[i];
    return sum;
  }

  long max(long[] state) {
    long max = 0;
    for (int i = at; i < end(); i++) max = Math.max(max, state[i]);
    return max;
  }

  /** -1: the time has left the window already. */
  private int place(long clock, long time) {
    long hop = Math.floorDiv(time, hopMs);
    return hop <= Math.floorDiv(clock, hopMs) - count ? -1 : at + (int) Math.floorMod(hop, (long) count);
  }
}
