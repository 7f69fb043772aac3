package peers;

import java.nio.ByteBuffer;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Decisions into their topic: four bytes, then the event's id. */
final class DecisionWriter implements KafkaRecordSerializationSchema<Event> {
  static final int ID_AT = 4;

  @Override
  public ProducerRecord<byte[], byte[]> serialize(Event event, KafkaSinkContext context, Long timestamp) {
    byte[] value = new byte[ID_AT + event.id.length];
    value[0] = event.assistance;
    value[1] = event.assistanceRule;
    value[2] = event.trust;
    value[3] = event.trustRule;
    System.arraycopy(event.id, 0, value, ID_AT, event.id.length);
    return new ProducerRecord<>("decisions", ByteBuffer.allocate(Long.BYTES).putLong(event.player).array(), value);
  }
}
