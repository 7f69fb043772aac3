package peers;

import com.google.protobuf.InvalidProtocolBufferException;
import game.v1.Events.GameEvent;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Records of the topic of events: one protobuf message each. */
final class EventReader implements KafkaRecordDeserializationSchema<Event> {
  /** The pipeline's max_future_skew. */
  private static final long FUTURE_SKEW_MS = 5000;

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out)
      throws InvalidProtocolBufferException {
    GameEvent message = GameEvent.parseFrom(record.value());
    Event event = new Event();
    event.id = message.getEventIdBytes().toByteArray();
    event.player = message.getPlayerId();
    event.hunt = message.getHuntId();
    event.eventTime = message.getEventTime().getSeconds() * 1000 + message.getEventTime().getNanos() / 1_000_000;
    event.receivedAt = record.timestamp();
    event.time = Math.min(event.eventTime, event.receivedAt + FUTURE_SKEW_MS);
    event.hasLat = message.hasLat();
    event.lat = message.getLat();
    event.hasLon = message.hasLon();
    event.lon = message.getLon();
    readAction(message, event);
    out.collect(event);
  }

  private static void readAction(GameEvent message, Event event) {
    switch (message.getActionCase()) {
      case JOIN -> {
        event.action = Event.Action.JOIN;
        event.text = message.getJoin().getPlatform();
      }
      case MOVE -> {
        event.action = Event.Action.MOVE;
        event.metres = message.getMove().getMetres();
      }
      case DIG -> {
        event.action = Event.Action.DIG;
        event.depth = message.getDig().getDepth();
        event.tool = (byte) message.getDig().getToolValue();
      }
      case CLUE -> {
        event.action = Event.Action.CLUE;
        event.clue = message.getClue().getClueId();
      }
      case FIND -> {
        event.action = Event.Action.FIND;
        event.points = message.getFind().getPoints();
        event.rarity = (byte) message.getFind().getRarityValue();
      }
      case PURCHASE -> {
        event.action = Event.Action.PURCHASE;
        event.amount = message.getPurchase().getAmount();
        event.text = message.getPurchase().getItem();
      }
      default -> event.action = Event.Action.NONE;
    }
  }

  @Override
  public TypeInformation<Event> getProducedType() {
    return EventType.INSTANCE;
  }
}
