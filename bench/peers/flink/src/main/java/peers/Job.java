package peers;

import java.util.Properties;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * events -> the player's features -> the hunt's features and the decisions -> topic of decisions, ClickHouse; in one JVM.
 * Arguments: Kafka's address, URL of the insert, folder of checkpoints, parallelism. Prints a line when it runs.
 */
public final class Job {
  public static void main(String[] args) throws Exception {
    String kafka = args[0], clickhouse = args[1], checkpoints = args[2];
    int parallelism = Integer.parseInt(args[3]);
    var env = StreamExecutionEnvironment.createLocalEnvironment(parallelism, configuration(checkpoints, parallelism));
    KafkaSource<Event> source = KafkaSource.<Event>builder()
        .setBootstrapServers(kafka)
        .setTopics("events")
        .setGroupId("flink")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setProperty("fetch.max.wait.ms", "20")
        .setProperty("max.partition.fetch.bytes", "4194304")
        .setProperty("max.poll.records", "5000")
        .setProperty("partition.discovery.interval.ms", "-1")
        .setDeserializer(new EventReader())
        .build();
    var decided = env.fromSource(source, WatermarkStrategy.noWatermarks(), "events", EventType.INSTANCE)
        .keyBy(event -> event.player, Types.LONG)
        .process(new PlayerFeatures(), EventType.INSTANCE)
        .keyBy(event -> event.hunt, Types.LONG)
        .process(new HuntFeatures(), EventType.INSTANCE);
    Properties producer = new Properties();
    producer.setProperty("linger.ms", "2");
    producer.setProperty("batch.size", "131072");
    producer.setProperty("acks", "all");
    decided.sinkTo(KafkaSink.<Event>builder()
        .setBootstrapServers(kafka)
        .setKafkaProducerConfig(producer)
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .setRecordSerializer(new DecisionWriter())
        .build());
    decided.sinkTo(new ClickHouseSink(clickhouse));
    var job = env.executeAsync("treasure-hunt");
    while (job.getJobStatus().get() != JobStatus.RUNNING) Thread.sleep(50);
    System.out.println("{\"running\":true}");
    job.getJobExecutionResult().get();
  }

  /** Heap state, a checkpoint every five seconds: the cheap end of what Flink offers. */
  private static Configuration configuration(String checkpoints, int parallelism) {
    Configuration settings = new Configuration();
    settings.setString("execution.checkpointing.interval", "5000 ms");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.dir", "file://" + checkpoints);
    settings.setString("execution.checkpointing.timeout", "120 s");
    settings.setString("state.backend.type", "hashmap");
    settings.setString("execution.buffer-timeout.interval", "5 ms");
    settings.setString("taskmanager.numberOfTaskSlots", Integer.toString(parallelism));
    settings.setString("taskmanager.memory.network.min", "64 mb");
    settings.setString("taskmanager.memory.network.max", "64 mb");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("restart-strategy.type", "none");
    return settings;
  }

  private Job() {}
}
