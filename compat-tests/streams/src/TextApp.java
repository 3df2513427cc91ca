// SPDX-License-Identifier: Apache-2.0

import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;

/**
 * The application: lines (key: document) are counted by word, and joined with the table of the documents' titles.
 * Arguments: application id, protocol of its group, folder of its state.
 */
public final class TextApp {
    private TextApp() {
    }

    static String[] words(String line) {
        return Arrays.stream(line.toLowerCase(Locale.ROOT).split("[^a-z0-9]+")).filter(w -> !w.isEmpty())
            .toArray(String[]::new);
    }

    public static void main(String[] args) throws Exception {
        String id = args[0];
        Properties config = new Properties();
        config.put("application.id", id);
        config.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        config.put("processing.guarantee", "exactly_once_v2");
        config.put("group.protocol", args[1]);
        config.put("state.dir", args[2]);
        config.put("num.stream.threads", 2);
        config.put("commit.interval.ms", 50);
        config.put("replication.factor", 1);
        config.put("default.key.serde", Serdes.StringSerde.class);
        config.put("default.value.serde", Serdes.StringSerde.class);
        config.put("consumer.auto.offset.reset", "earliest");
        config.put("consumer.max.poll.records", 200);
        if (args[1].equals("classic")) {
            config.put("consumer.session.timeout.ms", 3000);
            config.put("consumer.heartbeat.interval.ms", 500);
        }
        config.put("producer.transaction.timeout.ms", 5000);

        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(id + "-lines");
        lines.flatMapValues(line -> Arrays.asList(words(line))).groupBy((document, word) -> word).count().toStream()
            .to(id + "-words", Produced.with(Serdes.String(), Serdes.Long()));
        lines.join(builder.<String, String>table(id + "-titles"), (line, title) -> title + ": " + line)
            .to(id + "-joined");
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse
                .SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
