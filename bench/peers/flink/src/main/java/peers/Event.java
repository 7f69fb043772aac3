package peers;

/** An event on its way: its fields, then the features of its player. What the hunt adds and decides never travels. */
public final class Event {
  public enum Action {
    NONE, JOIN, MOVE, DIG, CLUE, FIND, PURCHASE;

    static final Action[] ALL = values();
  }

  public byte[] id;
  public long player;
  public long hunt;
  public long eventTime;
  public long receivedAt;
  /** The event's time, or its arrival's where that is long before it. */
  public long time;
  public boolean hasLat, hasLon;
  public double lat, lon;
  public Action action = Action.NONE;
  public byte tool, rarity;
  public double depth, amount;
  public float metres;
  public int clue, points;
  public String text = "";

  public int digs1m, digs5m, clues5m, finds5m;
  public long points5m;
  public boolean hasDepth5m, hasLastLat, hasLastLon, hasQuiet;
  public double depth5m, spent1h, lastLat, lastLon;
  public long quiet;

  public int huntDigs1m, huntFinds5m, huntBest1h;
  public boolean hasHuntBest1h;
  public double huntSpent1h;
  /** Indices into the enums of the table. */
  public byte assistance, assistanceRule, trust, trustRule;
}
