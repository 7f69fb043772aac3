package peers;

import static peers.PlayerFeatures.CENTS;
import static peers.PlayerFeatures.HOUR;
import static peers.PlayerFeatures.MINUTE;
import static peers.PlayerFeatures.SECOND;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The hunt's four features; then all are known, and the event is decided. */
public final class HuntFeatures extends KeyedProcessFunction<Long, Event, Event> {
  private static final int CLOCK = 0;
  private static final Hops DIGS_1M = new Hops(CLOCK + 1, MINUTE, 10 * SECOND);
  private static final Hops FINDS_5M = new Hops(DIGS_1M.end(), 5 * MINUTE, MINUTE);
  private static final Hops BEST_1H = new Hops(FINDS_5M.end(), HOUR, 10 * MINUTE);
  private static final Hops FINDS_1H = new Hops(BEST_1H.end(), HOUR, 10 * MINUTE);
  private static final Hops SPENT_1H = new Hops(FINDS_1H.end(), HOUR, 10 * MINUTE);
  private static final Hops[] ALL = {DIGS_1M, FINDS_5M, BEST_1H, FINDS_1H, SPENT_1H};

  private transient ValueState<long[]> hunts;

  @Override
  public void open(OpenContext context) {
    var type = PrimitiveArrayTypeInfo.LONG_PRIMITIVE_ARRAY_TYPE_INFO;
    hunts = getRuntimeContext().getState(new ValueStateDescriptor<>("hunt", type));
  }

  @Override
  public void processElement(Event event, Context context, Collector<Event> out) throws Exception {
    long[] state = hunts.value();
    if (state == null) {
      state = new long[SPENT_1H.end()];
      state[CLOCK] = event.time;
    } else if (event.time > state[CLOCK]) {
      for (Hops window : ALL) window.move(state, state[CLOCK], event.time);
      state[CLOCK] = event.time;
    }
    count(event, state);
    event.huntDigs1m = (int) DIGS_1M.sum(state);
    event.huntFinds5m = (int) FINDS_5M.sum(state);
    event.hasHuntBest1h = FINDS_1H.sum(state) > 0;
    event.huntBest1h = (int) BEST_1H.max(state);
    event.huntSpent1h = SPENT_1H.sum(state) / CENTS;
    hunts.update(state);
    Decisions.decide(event);
    out.collect(event);
  }

  private static void count(Event event, long[] state) {
    long clock = state[CLOCK];
    long time = event.time;
    switch (event.action) {
      case DIG -> DIGS_1M.add(state, clock, time, 1);
      case FIND -> {
        FINDS_5M.add(state, clock, time, 1);
        BEST_1H.raise(state, clock, time, event.points);
        FINDS_1H.add(state, clock, time, 1);
      }
      case PURCHASE -> SPENT_1H.add(state, clock, time, Math.round(event.amount * CENTS));
      default -> { }
    }
  }
}
