package peers;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The load of Kafka + Flink. Arguments: Kafka's address, file of events (as event-list.ts has them), where in an event its time
 * lies, partitions. Makes the topics, prints that it is ready, then for each line `run events rate keep` on its standard
 * input sends so many events and prints the result. At a rate, latency is from when an event was due to when its decision
 * came out of the topic; else to its acknowledgement. `keep`: ids and times stay as they are in the file.
 */
public final class Load {
  private static final int ID_AT = 2, ID_BYTES = 16, RUN_CHARACTERS = 6;
  private static final long LATENCY_US_MAX = 600_000_000L;
  private static final byte[] DIGITS = "0123456789abcdef".getBytes();
  private static final Duration POLL = Duration.ofMillis(50);
  private static final long DECIDED_MS = 60_000;

  private final String kafka;
  private final byte[] events;
  private final int timeAt;

  private Load(String kafka, byte[] events, int timeAt) {
    this.kafka = kafka;
    this.events = events;
    this.timeAt = timeAt;
  }

  public static void main(String[] args) throws Exception {
    // Places count from the event's tag and length in the file, from its first byte here.
    Load load = new Load(args[0], Files.readAllBytes(Path.of(args[1])), Integer.parseInt(args[2]) - 2);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      int partitions = Integer.parseInt(args[3]);
      var topics = List.of(new NewTopic("events", partitions, (short) 1), new NewTopic("decisions", partitions, (short) 1));
      admin.createTopics(topics).all().get();
    }
    System.out.println("{\"ready\":true}");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ");
      load.run(words[0], Integer.parseInt(words[1]), Double.parseDouble(words[2]), words[3].equals("1"));
    }
  }

  private void run(String run, int count, double rate, boolean keep) throws Exception {
    long[] dueAt = new long[count];
    Histogram latency = new ConcurrentHistogram(1, LATENCY_US_MAX, 3);
    AtomicLong answered = new AtomicLong();
    Thread listener = rate > 0 ? listen(run, dueAt, latency, answered) : null;
    long begunAt = System.nanoTime();
    try (KafkaProducer<byte[], byte[]> producer = producer(rate > 0 ? "1" : "20")) {
      for (int number = 0, at = 0; number < count; number++) {
        if (at == events.length) at = 0;
        byte[] event = new byte[events[at + 1]];
        System.arraycopy(events, at + 2, event, 0, event.length);
        at += 2 + event.length;
        dueAt[number] = rate > 0 ? waitUntil(begunAt + (long) (number * 1e9 / rate)) : System.nanoTime();
        if (!keep) fill(event, run, number);
        int index = number;
        producer.send(new ProducerRecord<>("events", playerOf(event), event), (metadata, error) -> {
          if (error != null) throw new IllegalStateException(error);
          if (listener == null) {
            latency.recordValue(microsecondsSince(dueAt[index]));
            answered.incrementAndGet();
          }
        });
      }
      producer.flush();
    }
    if (listener != null) listener.join(DECIDED_MS);
    double seconds = (System.nanoTime() - begunAt) / 1e9;
    System.out.printf("{\"answered\":%d,\"seconds\":%.3f,\"retried\":0,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}%n", answered.get(),
        seconds, latency.getValueAtPercentile(50) / 1e3, latency.getValueAtPercentile(99) / 1e3, latency.getValueAtPercentile(99.9) / 1e3);
  }

  private KafkaProducer<byte[], byte[]> producer(String lingerMs) {
    Map<String, Object> settings = Map.of("bootstrap.servers", kafka, "acks", "all", "enable.idempotence", "true", "linger.ms",
        lingerMs, "batch.size", "262144", "buffer.memory", "67108864");
    var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    producer.partitionsFor("events");
    return producer;
  }

  private Thread listen(String run, long[] dueAt, Histogram latency, AtomicLong answered) {
    Map<String, Object> settings = Map.of("bootstrap.servers", kafka, "fetch.max.wait.ms", "20");
    var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var partitions = consumer.partitionsFor("decisions").stream().map(p -> new TopicPartition("decisions", p.partition())).toList();
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    partitions.forEach(consumer::position);
    Thread thread = new Thread(() -> {
      while (answered.get() < dueAt.length) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          String id = new String(record.value(), DecisionWriter.ID_AT, ID_BYTES);
          if (!id.startsWith(run)) continue;
          latency.recordValue(microsecondsSince(dueAt[Integer.parseInt(id.substring(RUN_CHARACTERS), 16)]));
          answered.incrementAndGet();
        }
      }
      consumer.close();
    });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static long waitUntil(long dueAt) throws InterruptedException {
    for (long now = System.nanoTime(); now < dueAt; now = System.nanoTime()) Thread.sleep(0, (int) Math.min(900_000, dueAt - now));
    return dueAt;
  }

  private static long microsecondsSince(long begun) {
    return Math.max(1, (System.nanoTime() - begun) / 1000);
  }

  /** The varint behind the id. */
  private static byte[] playerOf(byte[] event) {
    int from = ID_AT + ID_BYTES + 1, to = from;
    while (event[to++] < 0);
    return java.util.Arrays.copyOfRange(event, from, to);
  }

  private void fill(byte[] event, String run, int number) {
    for (int i = 0; i < RUN_CHARACTERS; i++) event[ID_AT + i] = (byte) run.charAt(i);
    for (int i = ID_BYTES - 1, rest = number; i >= RUN_CHARACTERS; i--, rest >>>= 4) event[ID_AT + i] = DIGITS[rest & 15];
    long now = System.currentTimeMillis();
    varint(event, timeAt, now / 1000);
    varint(event, timeAt + 6, now % 1000 * 1_000_000);
  }

  /** In five bytes, whatever it is. */
  private static void varint(byte[] out, int at, long value) {
    for (int i = 0; i < 5; i++) out[at + i] = (byte) (value >>> (7 * i) & 127 | (i < 4 ? 128 : 0));
  }
}
