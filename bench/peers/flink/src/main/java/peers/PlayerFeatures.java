package peers;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The player's ten features. Its state is one array: clock, last time and place, windows. */
public final class PlayerFeatures extends KeyedProcessFunction<Long, Event, Event> {
  static final long SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
  static final double CENTS = 100;
  private static final int CLOCK = 0, LAST_TIME = 1, LAST_LAT = 2, LAST_LON = 3, FLAGS = 4, WINDOWS = 5;
  private static final int HAS_LAT = 1, HAS_LON = 2;
  private static final Hops DIGS_1M = new Hops(WINDOWS, MINUTE, 10 * SECOND);
  private static final Hops DIGS_5M = new Hops(DIGS_1M.end(), 5 * MINUTE, MINUTE);
  private static final Hops CLUES_5M = new Hops(DIGS_5M.end(), 5 * MINUTE, MINUTE);
  private static final Hops FINDS_5M = new Hops(CLUES_5M.end(), 5 * MINUTE, MINUTE);
  private static final Hops POINTS_5M = new Hops(FINDS_5M.end(), 5 * MINUTE, MINUTE);
  private static final Hops DEPTH_5M = new Hops(POINTS_5M.end(), 5 * MINUTE, MINUTE);
  private static final Hops DEPTHS_5M = new Hops(DEPTH_5M.end(), 5 * MINUTE, MINUTE);
  private static final Hops SPENT_1H = new Hops(DEPTHS_5M.end(), HOUR, 10 * MINUTE);
  private static final Hops[] BY_MINUTE = {DIGS_5M, CLUES_5M, FINDS_5M, POINTS_5M, DEPTH_5M, DEPTHS_5M, SPENT_1H};

  private transient ValueState<long[]> players;

  @Override
  public void open(OpenContext context) {
    var type = PrimitiveArrayTypeInfo.LONG_PRIMITIVE_ARRAY_TYPE_INFO;
    players = getRuntimeContext().getState(new ValueStateDescriptor<>("player", type));
  }

  @Override
  public void processElement(Event event, Context context, Collector<Event> out) throws Exception {
    long[] state = players.value();
    long time = event.time;
    event.hasQuiet = state != null;
    if (state == null) {
      state = new long[SPENT_1H.end()];
      state[CLOCK] = time;
    } else {
      event.quiet = time - state[LAST_TIME];
      if (time > state[CLOCK]) move(state, time);
    }
    serveLast(event, state);
    count(event, state);
    if (event.hasLat) state[LAST_LAT] = Double.doubleToRawLongBits(event.lat);
    if (event.hasLon) state[LAST_LON] = Double.doubleToRawLongBits(event.lon);
    state[FLAGS] |= (event.hasLat ? HAS_LAT : 0) | (event.hasLon ? HAS_LON : 0);
    state[LAST_TIME] = time;
    serve(event, state);
    players.update(state);
    out.collect(event);
  }

  private static void move(long[] state, long time) {
    long before = state[CLOCK];
    DIGS_1M.move(state, before, time);
    if (Math.floorDiv(before, MINUTE) != Math.floorDiv(time, MINUTE)) {
      for (Hops window : BY_MINUTE) window.move(state, before, time);
    }
    state[CLOCK] = time;
  }

  private static void count(Event event, long[] state) {
    long clock = state[CLOCK];
    long time = event.time;
    switch (event.action) {
      case DIG -> {
        DIGS_1M.add(state, clock, time, 1);
        DIGS_5M.add(state, clock, time, 1);
        DEPTH_5M.add(state, clock, time, Math.round(event.depth * CENTS));
        DEPTHS_5M.add(state, clock, time, 1);
      }
      case CLUE -> CLUES_5M.add(state, clock, time, 1);
      case FIND -> {
        FINDS_5M.add(state, clock, time, 1);
        POINTS_5M.add(state, clock, time, event.points);
      }
      case PURCHASE -> SPENT_1H.add(state, clock, time, Math.round(event.amount * CENTS));
      default -> { }
    }
  }

  private static void serveLast(Event event, long[] state) {
    event.hasLastLat = (state[FLAGS] & HAS_LAT) != 0;
    event.hasLastLon = (state[FLAGS] & HAS_LON) != 0;
    event.lastLat = Double.longBitsToDouble(state[LAST_LAT]);
    event.lastLon = Double.longBitsToDouble(state[LAST_LON]);
  }

  private static void serve(Event event, long[] state) {
    event.digs1m = (int) DIGS_1M.sum(state);
    event.digs5m = (int) DIGS_5M.sum(state);
    event.clues5m = (int) CLUES_5M.sum(state);
    event.finds5m = (int) FINDS_5M.sum(state);
    event.points5m = POINTS_5M.sum(state);
    long depths = DEPTHS_5M.sum(state);
    event.hasDepth5m = depths > 0;
    event.depth5m = depths > 0 ? DEPTH_5M.sum(state) / (depths * CENTS) : 0;
    event.spent1h = SPENT_1H.sum(state) / CENTS;
  }
}
