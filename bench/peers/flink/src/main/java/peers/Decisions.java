package peers;

/** Both decisions of the example game; numbers are those of the table's enums (peer-clickhouse.ts). */
final class Decisions {
  private static final byte HINT = 1, CONTINUE = 2, ALLOW = 1, CHALLENGE = 2;
  private static final byte NONE = 0, DEFAULT = 1;
  private static final byte STUCK = 2, SCRATCHING = 3, COLD_HUNT = 4;
  private static final byte DIGGER = 2, LUCKY = 3, TELEPORT = 4, TOO_RICH = 5;
  private static final byte HANDS = 0, LEGENDARY = 2;

  static void decide(Event event) {
    event.assistanceRule = assistanceRule(event);
    event.assistance = event.assistanceRule == NONE ? NONE : event.assistanceRule == DEFAULT ? CONTINUE : HINT;
    event.trustRule = trustRule(event);
    event.trust = event.trustRule == DEFAULT ? ALLOW : CHALLENGE;
  }

  private static byte assistanceRule(Event e) {
    boolean isDig = e.action == Event.Action.DIG;
    if (!isDig && e.action != Event.Action.CLUE) return NONE;
    if (e.clues5m >= 3 && e.digs5m > 10 && e.finds5m == 0) return STUCK;
    if (e.digs5m >= 5 && e.hasDepth5m && e.depth5m < 0.25 && isDig && e.tool == HANDS) return SCRATCHING;
    if (e.huntDigs1m > 200 && e.huntFinds5m == 0 && e.digs5m >= 5) return COLD_HUNT;
    return DEFAULT;
  }

  private static byte trustRule(Event e) {
    if (e.digs1m > 40) return DIGGER;
    if (e.finds5m >= 10 && e.digs5m > 0 && (double) e.finds5m / e.digs5m > 0.9) return LUCKY;
    if (isTeleport(e)) return TELEPORT;
    if (e.spent1h > 500 && e.action == Event.Action.FIND && e.rarity == LEGENDARY) return TOO_RICH;
    return DEFAULT;
  }

  private static boolean isTeleport(Event e) {
    if (!e.hasQuiet || e.quiet >= 5000 || !e.hasLat || !e.hasLon || !e.hasLastLat || !e.hasLastLon) return false;
    double north = e.lat - e.lastLat;
    double east = e.lon - e.lastLon;
    return north * north + east * east > 0.0001;
  }

  private Decisions() {}
}
