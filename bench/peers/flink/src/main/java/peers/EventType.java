package peers;

import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** How events travel between tasks: written by hand, as one does once the generic serializer shows up in a profile. */
public final class EventType extends TypeInformation<Event> {
  static final EventType INSTANCE = new EventType();

  @Override public boolean isBasicType() { return false; }
  @Override public boolean isTupleType() { return false; }
  @Override public int getArity() { return 1; }
  @Override public int getTotalFields() { return 1; }
  @Override public Class<Event> getTypeClass() { return Event.class; }
  @Override public boolean isKeyType() { return false; }
  @Override public TypeSerializer<Event> createSerializer(SerializerConfig config) { return Serializer.INSTANCE; }
  @Override public String toString() { return "Event"; }
  @Override public boolean equals(Object other) { return other instanceof EventType; }
  @Override public int hashCode() { return 1; }
  @Override public boolean canEqual(Object other) { return other instanceof EventType; }

  public static final class Serializer extends TypeSerializerSingleton<Event> {
    static final Serializer INSTANCE = new Serializer();

    @Override public boolean isImmutableType() { return false; }
    @Override public Event createInstance() { return new Event(); }
    @Override public int getLength() { return -1; }

    /** Objects are reused: nothing is copied between chained tasks. */
    @Override public Event copy(Event from) { throw new UnsupportedOperationException(); }
    @Override public Event copy(Event from, Event reuse) { throw new UnsupportedOperationException(); }

    @Override
    public void serialize(Event e, DataOutputView out) throws IOException {
      out.writeByte(e.id.length);
      out.write(e.id);
      out.writeLong(e.player);
      out.writeLong(e.hunt);
      out.writeLong(e.eventTime);
      out.writeLong(e.receivedAt);
      out.writeLong(e.time);
      out.writeByte((e.hasLat ? 1 : 0) | (e.hasLon ? 2 : 0) | (e.hasDepth5m ? 4 : 0) | (e.hasLastLat ? 8 : 0)
          | (e.hasLastLon ? 16 : 0) | (e.hasQuiet ? 32 : 0));
      if (e.hasLat) out.writeDouble(e.lat);
      if (e.hasLon) out.writeDouble(e.lon);
      out.writeByte(e.action.ordinal());
      switch (e.action) {
        case JOIN -> out.writeUTF(e.text);
        case MOVE -> out.writeFloat(e.metres);
        case DIG -> { out.writeDouble(e.depth); out.writeByte(e.tool); }
        case CLUE -> out.writeInt(e.clue);
        case FIND -> { out.writeInt(e.points); out.writeByte(e.rarity); }
        case PURCHASE -> { out.writeDouble(e.amount); out.writeUTF(e.text); }
        default -> { }
      }
      out.writeInt(e.digs1m);
      out.writeInt(e.digs5m);
      out.writeInt(e.clues5m);
      out.writeInt(e.finds5m);
      out.writeLong(e.points5m);
      out.writeDouble(e.depth5m);
      out.writeDouble(e.spent1h);
      out.writeDouble(e.lastLat);
      out.writeDouble(e.lastLon);
      out.writeLong(e.quiet);
    }

    @Override public Event deserialize(DataInputView in) throws IOException { return deserialize(new Event(), in); }

    @Override
    public Event deserialize(Event e, DataInputView in) throws IOException {
      int idBytes = in.readByte();
      if (e.id == null || e.id.length != idBytes) e.id = new byte[idBytes];
      in.readFully(e.id);
      e.player = in.readLong();
      e.hunt = in.readLong();
      e.eventTime = in.readLong();
      e.receivedAt = in.readLong();
      e.time = in.readLong();
      int flags = in.readByte();
      e.hasLat = (flags & 1) != 0;
      e.hasLon = (flags & 2) != 0;
      e.hasDepth5m = (flags & 4) != 0;
      e.hasLastLat = (flags & 8) != 0;
      e.hasLastLon = (flags & 16) != 0;
      e.hasQuiet = (flags & 32) != 0;
      if (e.hasLat) e.lat = in.readDouble();
      if (e.hasLon) e.lon = in.readDouble();
      e.action = Event.Action.ALL[in.readByte()];
      switch (e.action) {
        case JOIN -> e.text = in.readUTF();
        case MOVE -> e.metres = in.readFloat();
        case DIG -> { e.depth = in.readDouble(); e.tool = in.readByte(); }
        case CLUE -> e.clue = in.readInt();
        case FIND -> { e.points = in.readInt(); e.rarity = in.readByte(); }
        case PURCHASE -> { e.amount = in.readDouble(); e.text = in.readUTF(); }
        default -> { }
      }
      e.digs1m = in.readInt();
      e.digs5m = in.readInt();
      e.clues5m = in.readInt();
      e.finds5m = in.readInt();
      e.points5m = in.readLong();
      e.depth5m = in.readDouble();
      e.spent1h = in.readDouble();
      e.lastLat = in.readDouble();
      e.lastLon = in.readDouble();
      e.quiet = in.readLong();
      return e;
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException { serialize(deserialize(in), out); }

    @Override public TypeSerializerSnapshot<Event> snapshotConfiguration() { return new Snapshot(); }

    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Event> {
      public Snapshot() { super(() -> INSTANCE); }
    }
  }
}
