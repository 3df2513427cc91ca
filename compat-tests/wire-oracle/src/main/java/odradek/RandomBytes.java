// SPDX-License-Identifier: Apache-2.0
package odradek;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.types.ArrayOf;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.NullableSchema;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.utils.ByteUtils;

/** Makes random frames by walking Kafka's own description of a message at a version. */
final class RandomBytes {
    private static final long[] EDGES = {0, 1, -1, 127, 128, 255, -128, 32767, -32768, 65535,
        Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE};
    private static final double[] DOUBLES = {0.0, -0.0, 1.0, 0.1, 1e7, 9999999.5, 1e-3, 9e-4, 1e23,
        Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY, 100, 123456789};
    private static final String[] PARTS = {"a", "topic", "\"", "\\", "\n", "\u0001", "\u001f", "é",
        "中", "😀", "/", "\u007f", "\u2028", "\0"};

    private final Random random;
    private ByteArrayOutputStream out;

    RandomBytes(Random random) {
        this.random = random;
    }

    /** A frame that Kafka can read, save that tags may be there at versions that lack them. */
    byte[] frame(Schema schema) {
        out = new ByteArrayOutputStream();
        struct(schema, 0);
        return out.toByteArray();
    }

    private void struct(Schema schema, int depth) {
        for (BoundField field : schema.fields())
            value(field.def.type, depth, false);
    }

    private void value(Type type, int depth, boolean tagged) {
        if (type instanceof TaggedFields)
            tagged((TaggedFields) type, depth);
        else if (type instanceof NullableSchema)
            nullableStruct((NullableSchema) type, depth, tagged);
        else if (type instanceof Schema)
            struct((Schema) type, depth + 1);
        else if (type instanceof ArrayOf)
            array(type.arrayElementType().get(), type.isNullable(), false, depth);
        else if (type instanceof CompactArrayOf)
            array(type.arrayElementType().get(), type.isNullable(), true, depth);
        else
            primitive(type);
    }

    private void primitive(Type type) {
        boolean isNull = type.isNullable() && oneIn(4);
        if (type == Type.BOOLEAN)
            out.write(random.nextInt(2));
        else if (type == Type.INT8)
            number(1);
        else if (type == Type.INT16 || type == Type.UINT16)
            number(2);
        else if (type == Type.INT32 || type == Type.UNSIGNED_INT32)
            number(4);
        else if (type == Type.INT64)
            number(8);
        else if (type == Type.FLOAT64)
            put(8, Double.doubleToLongBits(oneIn(2) ? DOUBLES[random.nextInt(DOUBLES.length)]
                : Double.longBitsToDouble(random.nextLong())));
        else if (type == Type.UUID)
            raw(oneIn(4) ? new byte[16] : bytes(16));
        else if (type == Type.STRING || type == Type.NULLABLE_STRING)
            sized(isNull ? null : string(), 2);
        else if (type == Type.COMPACT_STRING || type == Type.COMPACT_NULLABLE_STRING)
            sized(isNull ? null : string(), 0);
        else if (type == Type.BYTES || type == Type.NULLABLE_BYTES || type == Type.RECORDS
                || type == Type.NULLABLE_RECORDS)
            sized(isNull ? null : bytes(size()), 4);
        else if (type == Type.COMPACT_BYTES || type == Type.COMPACT_NULLABLE_BYTES
                || type == Type.COMPACT_RECORDS || type == Type.COMPACT_NULLABLE_RECORDS)
            sized(isNull ? null : bytes(size()), 0);
        else
            throw new IllegalStateException("no random " + type);
    }

    private void nullableStruct(NullableSchema schema, int depth, boolean tagged) {
        boolean isNull = oneIn(3);
        if (tagged)
            uvarint(isNull ? 0 : 1);
        else
            out.write(isNull ? -1 : 1);
        if (!isNull)
            struct(schema, depth + 1);
    }

    private void array(Type of, boolean nullable, boolean compact, int depth) {
        int count = oneIn(30) ? (depth == 0 ? 130 : 20) : random.nextInt(4);
        if (nullable && oneIn(4))
            count = -1;
        if (compact)
            uvarint(count + 1);
        else
            put(4, count);
        for (int i = 0; i < count; i++)
            value(of, depth + 1, false);
    }

    /** Known fields, at times with their default or left out, and some that nobody knows. */
    private void tagged(TaggedFields type, int depth) {
        Map<Integer, byte[]> fields = new TreeMap<>();
        int top = 0;
        for (Map.Entry<Integer, Field> field : type.fields().entrySet()) {
            top = Math.max(top, field.getKey() + 1);
            if (oneIn(3))
                continue;
            ByteArrayOutputStream outer = out;
            out = new ByteArrayOutputStream();
            value(field.getValue().type, depth + 1, true);
            fields.put(field.getKey(), out.toByteArray());
            out = outer;
        }
        if (oneIn(3))
            for (int i = random.nextInt(4); i > 0; i--)
                fields.put(top + random.nextInt(oneIn(2) ? 3 : 1 << 20), bytes(random.nextInt(20)));
        uvarint(fields.size());
        fields.forEach((tag, data) -> {
            uvarint(tag);
            uvarint(data.length);
            raw(data);
        });
    }

    private byte[] string() {
        StringBuilder s = new StringBuilder();
        for (int i = oneIn(40) ? 300 : random.nextInt(5); i > 0; i--)
            s.append(PARTS[random.nextInt(PARTS.length)]);
        byte[] bytes = s.toString().getBytes(StandardCharsets.UTF_8);
        return oneIn(2000) ? "x".repeat(32767).getBytes(StandardCharsets.UTF_8) : bytes;
    }

    private int size() {
        return oneIn(20) ? 4000 + random.nextInt(300) : oneIn(4) ? 0 : random.nextInt(40);
    }

    private byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    /** lengthSize 0: compact. */
    private void sized(byte[] bytes, int lengthSize) {
        int size = bytes == null ? -1 : bytes.length;
        if (lengthSize == 0)
            uvarint(size + 1);
        else
            put(lengthSize, size);
        if (bytes != null)
            raw(bytes);
    }

    private void number(int size) {
        put(size, oneIn(2) ? EDGES[random.nextInt(EDGES.length)] : random.nextLong());
    }

    private void put(int size, long value) {
        for (int i = size - 1; i >= 0; i--)
            out.write((int) (value >> 8 * i));
    }

    private void uvarint(int value) {
        ByteBuffer buffer = ByteBuffer.allocate(5);
        ByteUtils.writeUnsignedVarint(value, buffer);
        out.write(buffer.array(), 0, buffer.position());
    }

    private void raw(byte[] bytes) {
        out.write(bytes, 0, bytes.length);
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }
}
