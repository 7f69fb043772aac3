package peers;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/**
 * Rows in RowBinary over HTTP, in the order of the table's columns (peer-clickhouse.ts): 100,000 rows or what a second brought,
 * one request in flight beside the one that fills. Flushed at each checkpoint: at least once.
 */
final class ClickHouseSink implements Sink<Event> {
  private final String url;

  ClickHouseSink(String url) {
    this.url = url;
  }

  @Override
  public SinkWriter<Event> createWriter(WriterInitContext context) {
    return new Writer(URI.create(url), context.getProcessingTimeService());
  }

  private static final class Writer implements SinkWriter<Event>, ProcessingTimeService.ProcessingTimeCallback {
    private static final int ROWS_MAX = 100_000, ROW_BYTES = 400, ROW_BYTES_MAX = 4096, TEXT_BYTES_MAX = 127;
    private static final long INSERT_MS = 1000;
    private static final byte PRESENT = 0, ABSENT = 1;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI uri;
    private final ProcessingTimeService timers;
    private ByteBuffer filling = allocate(), spare = allocate();
    private int rows;
    private CompletableFuture<HttpResponse<String>> inFlight;

    Writer(URI uri, ProcessingTimeService timers) {
      this.uri = uri;
      this.timers = timers;
      timers.registerTimer(timers.getCurrentProcessingTime() + INSERT_MS, this);
    }

    private static ByteBuffer allocate() {
      return ByteBuffer.allocate(ROWS_MAX * ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void onProcessingTime(long time) throws IOException {
      if (rows > 0) send();
      timers.registerTimer(time + INSERT_MS, this);
    }

    @Override
    public void write(Event event, Context context) throws IOException {
      ByteBuffer out = filling;
      out.put((byte) event.id.length).put(event.id);
      out.putLong(event.player).putLong(event.hunt).putLong(event.eventTime).putLong(event.receivedAt);
      number(out, event.hasLat, event.lat);
      number(out, event.hasLon, event.lon);
      action(out, event);
      out.putInt(event.digs1m).putInt(event.digs5m).putInt(event.clues5m).putInt(event.finds5m);
      out.putLong(event.points5m);
      number(out, event.hasDepth5m, event.depth5m);
      out.putDouble(event.spent1h);
      number(out, event.hasLastLat, event.lastLat);
      number(out, event.hasLastLon, event.lastLon);
      if (event.hasQuiet) out.put(PRESENT).putLong(event.quiet); else out.put(ABSENT);
      out.putInt(event.huntDigs1m).putInt(event.huntFinds5m);
      if (event.hasHuntBest1h) out.put(PRESENT).putInt(event.huntBest1h); else out.put(ABSENT);
      out.putDouble(event.huntSpent1h);
      out.put(event.assistance).put(event.assistanceRule).put(event.trust).put(event.trustRule);
      if (++rows >= ROWS_MAX || out.remaining() < ROW_BYTES_MAX) send();
    }

    private static void action(ByteBuffer out, Event event) {
      Event.Action action = event.action;
      out.put((byte) action.ordinal());
      if (action == Event.Action.JOIN) text(out.put(PRESENT), event.text); else out.put(ABSENT);
      if (action == Event.Action.MOVE) out.put(PRESENT).putFloat(event.metres); else out.put(ABSENT);
      if (action == Event.Action.DIG) out.put(PRESENT).putDouble(event.depth).put(PRESENT).put(event.tool);
      else out.put(ABSENT).put(ABSENT);
      if (action == Event.Action.CLUE) out.put(PRESENT).putInt(event.clue); else out.put(ABSENT);
      if (action == Event.Action.FIND) out.put(PRESENT).putInt(event.points).put(PRESENT).put(event.rarity);
      else out.put(ABSENT).put(ABSENT);
      if (action == Event.Action.PURCHASE) text(out.put(PRESENT).putDouble(event.amount).put(PRESENT), event.text);
      else out.put(ABSENT).put(ABSENT);
    }

    private static void number(ByteBuffer out, boolean isPresent, double value) {
      if (isPresent) out.put(PRESENT).putDouble(value); else out.put(ABSENT);
    }

    private static void text(ByteBuffer out, String value) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > TEXT_BYTES_MAX) throw new IllegalArgumentException("a text too long for this bench");
      out.put((byte) bytes.length).put(bytes);
    }

    private void send() throws IOException {
      settle();
      ByteBuffer full = filling;
      var body = HttpRequest.BodyPublishers.ofByteArray(full.array(), 0, full.position());
      inFlight = http.sendAsync(HttpRequest.newBuilder(uri).POST(body).build(), HttpResponse.BodyHandlers.ofString());
      filling = spare.clear();
      spare = full;
      rows = 0;
    }

    private void settle() throws IOException {
      if (inFlight == null) return;
      HttpResponse<String> answer = inFlight.join();
      inFlight = null;
      if (answer.statusCode() != 200) throw new IOException("ClickHouse: " + answer.statusCode() + " " + answer.body());
    }

    @Override
    public void flush(boolean endOfInput) throws IOException {
      if (rows > 0) send();
      settle();
    }

    @Override
    public void close() {}
  }
}
