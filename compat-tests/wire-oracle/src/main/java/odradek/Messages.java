// SPDX-License-Identifier: Apache-2.0
package odradek;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.Enumeration;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.Schema;

/** Kafka's message classes, found by looking for their JSON converters in its jars. */
final class Messages {
    /** One message: its class, and what it takes to read, write and print it. */
    static final class Kind {
        final String name;
        final Class<?> type;
        final short first;
        final short last;
        private final Method toJson;

        Kind(String name, Class<?> type, Class<?> converter) throws ReflectiveOperationException {
            this.name = name;
            this.type = type;
            this.first = type.getField("LOWEST_SUPPORTED_VERSION").getShort(null);
            this.last = type.getField("HIGHEST_SUPPORTED_VERSION").getShort(null);
            this.toJson = converter.getMethod("write", type, short.class, boolean.class);
        }

        Schema schema(int version) throws ReflectiveOperationException {
            return ((Schema[]) type.getField("SCHEMAS").get(null))[version];
        }

        Message fresh() throws ReflectiveOperationException {
            return (Message) type.getConstructor().newInstance();
        }

        /** How many bytes were left is of no interest: like the broker. */
        Message read(byte[] bytes, short version) throws ReflectiveOperationException {
            Message message = fresh();
            message.read(new ByteBufferAccessor(ByteBuffer.wrap(bytes)), version);
            return message;
        }

        byte[] write(Message message, short version) {
            ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }

        String json(Message message, short version) throws ReflectiveOperationException {
            try {
                return ((JsonNode) toJson.invoke(null, message, version, false)).toString();
            } catch (InvocationTargetException e) {
                throw (RuntimeException) e.getCause();
            }
        }
    }

    /** All of them by name, as the schemas call them: FetchRequest, not FetchRequestData. */
    static Map<String, Kind> all() throws Exception {
        Map<String, Kind> kinds = new TreeMap<>();
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!path.endsWith(".jar") || !new File(path).getName().startsWith("kafka-"))
                continue;
            try (JarFile jar = new JarFile(path)) {
                for (Enumeration<JarEntry> e = jar.entries(); e.hasMoreElements();) {
                    String entry = e.nextElement().getName();
                    if (entry.endsWith("JsonConverter.class") && entry.indexOf('$') < 0)
                        add(kinds, entry.replace(".class", "").replace('/', '.'));
                }
            }
        }
        return kinds;
    }

    private static void add(Map<String, Kind> kinds, String converter) throws Exception {
        String className = converter.substring(0, converter.length() - "JsonConverter".length());
        Class<?> type = Class.forName(className);
        if (!Message.class.isAssignableFrom(type))
            return;
        String name = type.getSimpleName();
        if (name.matches(".*(Request|Response|Header)Data"))
            name = name.substring(0, name.length() - "Data".length());
        kinds.put(name, new Kind(name, type, Class.forName(converter)));
    }

    private Messages() {
    }
}
