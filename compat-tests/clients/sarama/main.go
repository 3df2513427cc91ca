// SPDX-License-Identifier: Apache-2.0

// The suite of sarama, told that the broker is of the newest version it knows.
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/IBM/sarama"

	"odradek/compat/kit"
)

func config(change func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	if change != nil {
		change(c)
	}
	return c
}

func brokers() []string { return []string{kit.Bootstrap()} }

func admin(ask func(sarama.ClusterAdmin)) {
	a, err := sarama.NewClusterAdmin(brokers(), config(nil))
	kit.Good(err, "an admin client")
	defer a.Close()
	ask(a)
}

// topic creates a topic and waits until its leader serves it.
func topic(what string, partitions int32) string {
	full := kit.Name(what)
	admin(func(a sarama.ClusterAdmin) {
		kit.Good(a.CreateTopic(full, &sarama.TopicDetail{NumPartitions: partitions,
			ReplicationFactor: 1}, false), "create of "+full)
	})
	c, err := sarama.NewClient(brokers(), config(nil))
	kit.Good(err, "a client")
	defer c.Close()
	for p := int32(0); p < partitions; p++ {
		kit.Becomes(int64(0), func() any {
			if err := c.RefreshMetadata(full); err != nil {
				return err
			}
			end, err := c.GetOffset(full, p, sarama.OffsetNewest)
			if err != nil {
				return err
			}
			return end
		}, "the end of an empty partition")
	}
	return full
}

func send(change func(*sarama.Config), messages ...*sarama.ProducerMessage) error {
	p, err := sarama.NewSyncProducer(brokers(), config(change))
	kit.Good(err, "a producer")
	defer p.Close()
	return p.SendMessages(messages)
}

func fill(to string, count, pad int, change func(*sarama.Config)) {
	var messages []*sarama.ProducerMessage
	for i := 0; i < count; i++ {
		messages = append(messages, &sarama.ProducerMessage{Topic: to,
			Value: sarama.ByteEncoder(kit.Value(i, pad))})
	}
	kit.Good(send(change, messages...), "produce")
	for i, message := range messages {
		kit.Same(int64(i), message.Offset, "the offset told")
	}
}

func read(of string, start int64, count int) []*sarama.ConsumerMessage {
	c, err := sarama.NewConsumer(brokers(), config(nil))
	kit.Good(err, "a consumer")
	defer c.Close()
	partition, err := c.ConsumePartition(of, 0, start)
	kit.Good(err, "consume")
	defer partition.Close()
	var messages []*sarama.ConsumerMessage
	for limit := time.After(kit.Limit); len(messages) < count; {
		select {
		case message := <-partition.Messages():
			messages = append(messages, message)
		case <-limit:
			panic(fmt.Sprintf("only %d of %d messages came", len(messages), count))
		}
	}
	return messages
}

func checkFilled(of string, start, count, pad int) {
	for i, message := range read(of, int64(start), count-start) {
		kit.Same(int64(start+i), message.Offset, "offset")
		kit.SameBytes(kit.Value(start+i, pad), message.Value, "value")
	}
}

func produce() {
	to := topic("produce", 3)
	var messages []*sarama.ProducerMessage
	for i := 0; i < 90; i++ {
		messages = append(messages, &sarama.ProducerMessage{Topic: to, Partition: int32(i % 3),
			Key:   sarama.StringEncoder("key"),
			Value: sarama.StringEncoder(fmt.Sprintf("value-%d", i))})
	}
	kit.Good(send(nil, messages...), "produce")
	for i, message := range messages {
		kit.Same(int32(i%3), message.Partition, "partition")
		kit.Same(int64(i/3), message.Offset, "offset")
	}
}

func consumeFromBeginning() {
	to := topic("beginning", 1)
	fill(to, 1000, 100, nil)
	checkFilled(to, 0, 1000, 100)
	checkFilled(to, 700, 1000, 100)
	kit.Same(int64(0), read(to, sarama.OffsetOldest, 1)[0].Offset, "the oldest")
}

func consumeFromTime() {
	to := topic("time", 1)
	for i := int64(0); i < 100; i += 10 {
		var messages []*sarama.ProducerMessage
		for j := i; j < i+10; j++ {
			messages = append(messages, &sarama.ProducerMessage{Topic: to,
				Value:     sarama.StringEncoder(fmt.Sprint(j)),
				Timestamp: time.UnixMilli(kit.TimeBase + j*1000)})
		}
		kit.Good(send(nil, messages...), "produce")
	}
	c, err := sarama.NewClient(brokers(), config(nil))
	kit.Good(err, "a client")
	defer c.Close()
	for _, one := range append(kit.TimeCases, [2]int64{kit.TimeAfter, -1}) {
		found, err := c.GetOffset(to, 0, one[0])
		kit.Good(err, "offset")
		kit.Same(one[1], found, fmt.Sprintf("the offset for %d", one[0]))
	}
	message := read(to, 45, 1)[0]
	kit.Same("45", string(message.Value), "value")
	kit.Same(kit.TimeBase+45000, message.Timestamp.UnixMilli(), "timestamp")
}

// member is a group member that takes `count` messages, marks them and leaves.
type member struct {
	count    int
	got      []int64
	finished context.CancelFunc
	within   func()
}

func (m *member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession,
	claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.got = append(m.got, message.Offset)
		session.MarkMessage(message, "")
		if len(m.got) == m.count {
			session.Commit()
			if m.within != nil {
				m.within()
			}
			m.finished()
			return nil
		}
	}
	return nil
}

// consume runs a member until it has its messages; returns their offsets.
func consume(group, of string, count int, within func()) []int64 {
	g, err := sarama.NewConsumerGroup(brokers(), group, config(func(c *sarama.Config) {
		c.ClientID = "sarama-suite"
	}))
	kit.Good(err, "a group")
	defer g.Close()
	ctx, cancel := context.WithTimeout(context.Background(), kit.Limit)
	defer cancel()
	m := &member{count: count, finished: cancel, within: within}
	for ctx.Err() == nil {
		if err := g.Consume(ctx, []string{of}, m); err != nil && ctx.Err() == nil {
			panic(err)
		}
	}
	kit.Same(count, len(m.got), "count of messages")
	return m.got
}

func offsets(start, count int) (out []int64) {
	for i := 0; i < count; i++ {
		out = append(out, int64(start+i))
	}
	return out
}

func groupCommitResume() {
	to := topic("resume", 1)
	group := kit.Name("resume-group")
	fill(to, 100, 10, nil)
	kit.Same(offsets(0, 40), consume(group, to, 40, nil), "the first part")
	admin(func(a sarama.ClusterAdmin) {
		found, err := a.ListConsumerGroupOffsets(group, map[string][]int32{to: {0}})
		kit.Good(err, "offsets")
		kit.Same(int64(40), found.GetBlock(to, 0).Offset, "committed")
	})
	kit.Same(offsets(40, 60), consume(group, to, 60, nil), "the second part")
}

func compression(codec sarama.CompressionCodec) func() {
	return func() {
		to := topic("compression-"+codec.String(), 1)
		fill(to, 2000, 500, func(c *sarama.Config) { c.Producer.Compression = codec })
		checkFilled(to, 0, 2000, 500)
		checkFilled(to, 1234, 2000, 500)
	}
}

func headers() {
	to := topic("headers", 1)
	message := &sarama.ProducerMessage{Topic: to, Value: sarama.StringEncoder("v")}
	for _, header := range kit.Headers {
		message.Headers = append(message.Headers,
			sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	kit.Good(send(nil, message), "produce")
	got := read(to, 0, 1)[0].Headers
	kit.Same(len(kit.Headers), len(got), "count of headers")
	for i, header := range kit.Headers {
		kit.Same(header.Key, string(got[i].Key), "key")
		kit.SameBytes(header.Value, got[i].Value, "value of "+header.Key)
	}
}

func encoder(data []byte) sarama.Encoder {
	if data == nil {
		return nil
	}
	return sarama.ByteEncoder(data)
}

func nullKeyValue() {
	to := topic("null", 1)
	for _, pair := range kit.KeysValues {
		kit.Good(send(nil, &sarama.ProducerMessage{Topic: to, Key: encoder(pair[0]),
			Value: encoder(pair[1])}), "produce")
	}
	for i, message := range read(to, 0, len(kit.KeysValues)) {
		kit.SameBytes(kit.KeysValues[i][0], message.Key, "key")
		kit.SameBytes(kit.KeysValues[i][1], message.Value, "value")
	}
}

func sendLarge(to string, size int) (int64, error) {
	message := &sarama.ProducerMessage{Topic: to, Value: sarama.ByteEncoder(kit.Large(size))}
	err := send(func(c *sarama.Config) { c.Producer.MaxMessageBytes = 3000000 }, message)
	return message.Offset, err
}

func message1mb() {
	to := topic("1mb", 1)
	for i := 0; i < 3; i++ {
		offset, err := sendLarge(to, kit.LargestValue)
		kit.Good(err, "produce")
		kit.Same(int64(i), offset, "offset")
	}
	for _, message := range read(to, 0, 3) {
		kit.SameBytes(kit.Large(kit.LargestValue), message.Value, "value")
	}
}

func messageTooLarge() {
	to := topic("too-large", 1)
	for _, size := range []int{kit.LargestValue + 1, 2500000} {
		_, err := sendLarge(to, size)
		var each sarama.ProducerErrors
		kit.Same(true, errors.As(err, &each), "an error for each message")
		kit.Refused(sarama.ErrMessageSizeTooLarge, each[0].Err, fmt.Sprint(size, " bytes"))
	}
	offset, err := sendLarge(to, 10)
	kit.Good(err, "a small one")
	kit.Same(int64(0), offset, "the first offset after refusals")
}

func idempotentProduce() {
	to := topic("idempotent", 1)
	fill(to, 1000, 50, func(c *sarama.Config) {
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1
		c.Producer.Flush.MaxMessages = 50
	})
	checkFilled(to, 0, 1000, 50)
}

func partitionsOf(a sarama.ClusterAdmin, full string) func() any {
	return func() any {
		topics, err := a.ListTopics()
		kit.Good(err, "list of topics")
		return topics[full].NumPartitions
	}
}

func adminTopics() {
	full := kit.Name("admin")
	value := func(text string) *string { return &text }
	admin(func(a sarama.ClusterAdmin) {
		create := func(name string, replicas int16, configs map[string]*string) error {
			return a.CreateTopic(name, &sarama.TopicDetail{NumPartitions: 4,
				ReplicationFactor: replicas, ConfigEntries: configs}, false)
		}
		kit.Good(create(full, 1, map[string]*string{"retention.ms": value("5000")}), "create")
		kit.Becomes(int32(4), partitionsOf(a, full), "partitions")
		described, err := a.DescribeTopics([]string{full})
		kit.Good(err, "describe")
		kit.Same(int32(1), described[0].Partitions[0].Leader, "leader")
		kit.Refused(sarama.ErrTopicAlreadyExists, create(full, 1, nil), "the same name")
		kit.Refused(sarama.ErrInvalidTopic, create("bad name!", 1, nil), "a bad name")
		kit.Refused(sarama.ErrInvalidReplicationFactor, create(kit.Name("rf"), 2, nil), "replicas")
		kit.Refused(sarama.ErrInvalidConfig, create(kit.Name("c"), 1,
			map[string]*string{"retention.ms": value("soon")}), "a bad config")
		kit.Good(a.DeleteTopic(full), "delete")
		kit.Becomes(int32(0), partitionsOf(a, full), "partitions after the deletion")
		kit.Refused(sarama.ErrUnknownTopicOrPartition, a.DeleteTopic(full), "delete of no topic")
	})
}

func adminCreatePartitions() {
	full := topic("grow", 2)
	admin(func(a sarama.ClusterAdmin) {
		kit.Good(a.CreatePartitions(full, 5, nil, false), "to 5")
		kit.Becomes(int32(5), partitionsOf(a, full), "partitions")
		kit.Refused(sarama.ErrInvalidPartitions, a.CreatePartitions(full, 3, nil, false), "to 3")
		kit.Refused(sarama.ErrInvalidPartitions, a.CreatePartitions(full, 5, nil, false), "again")
	})
}

func adminConfigs() {
	full := topic("configs", 1)
	admin(func(a sarama.ClusterAdmin) {
		value := func(kind sarama.ConfigResourceType, name, key string) func() any {
			return func() any {
				entries, err := a.DescribeConfig(sarama.ConfigResource{Type: kind, Name: name,
					ConfigNames: []string{key}})
				kit.Good(err, "describe")
				for _, entry := range entries {
					if entry.Name == key {
						return entry.Value
					}
				}
				return nil
			}
		}
		alter := func(op sarama.IncrementalAlterConfigsOperation, key, to string) error {
			return a.IncrementalAlterConfig(sarama.TopicResource, full,
				map[string]sarama.IncrementalAlterConfigsEntry{key: {Operation: op, Value: &to}}, false)
		}
		retention := value(sarama.TopicResource, full, "retention.ms")
		kit.Same("604800000", retention(), "default")
		kit.Good(alter(sarama.IncrementalAlterConfigsOperationSet, "retention.ms", "12345"), "set")
		kit.Becomes("12345", retention, "set")
		kit.Good(alter(sarama.IncrementalAlterConfigsOperationDelete, "retention.ms", ""), "unset")
		kit.Becomes("604800000", retention, "unset")
		kit.Refused(sarama.ErrInvalidConfig,
			alter(sarama.IncrementalAlterConfigsOperationSet, "retention.ms", "soon"), "no number")
		kit.Same("1", value(sarama.BrokerResource, "1", "node.id")(), "node.id")
		// The old request sets the whole of a topic's configuration.
		compact := "compact"
		kit.Good(alter(sarama.IncrementalAlterConfigsOperationSet, "retention.ms", "12345"), "set")
		kit.Good(a.AlterConfig(sarama.TopicResource, full,
			map[string]*string{"cleanup.policy": &compact}, false), "alter")
		kit.Becomes("compact", value(sarama.TopicResource, full, "cleanup.policy"), "cleanup.policy")
		kit.Becomes("604800000", retention, "what was not named")
	})
}

func adminGroups() {
	full := topic("groups", 1)
	group := kit.Name("group")
	fill(full, 5, 5, nil)
	admin(func(a sarama.ClusterAdmin) {
		describe := func() *sarama.GroupDescription {
			described, err := a.DescribeConsumerGroups([]string{group})
			kit.Good(err, "describe")
			return described[0]
		}
		var state string
		var clients []string
		var refusal error
		consume(group, full, 5, func() {
			living := describe()
			state = living.State
			for _, one := range living.Members {
				clients = append(clients, one.ClientId)
			}
			refusal = a.DeleteConsumerGroup(group)
		})
		kit.Same("Stable", state, "state")
		kit.Same([]string{"sarama-suite"}, clients, "members")
		kit.Refused(sarama.ErrNonEmptyGroup, refusal, "delete of a living group")
		kit.Same("Empty", describe().State, "state when all left")
		listed, err := a.ListConsumerGroups()
		kit.Good(err, "list")
		kit.Same("consumer", listed[group], "listed")
		kit.Good(a.DeleteConsumerGroup(group), "delete")
		kit.Refused(sarama.ErrGroupIDNotFound, a.DeleteConsumerGroup(group), "delete of no group")
	})
}

func main() {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			fmt.Println("#", module.Path, module.Version)
		}
	}
	kit.Run([]kit.Test{
		{Name: "produce", Run: produce},
		{Name: "consume-from-beginning", Run: consumeFromBeginning},
		{Name: "consume-from-time", Run: consumeFromTime},
		{Name: "group-commit-resume", Run: groupCommitResume},
		{Name: "compression-gzip", Run: compression(sarama.CompressionGZIP)},
		{Name: "compression-snappy", Run: compression(sarama.CompressionSnappy)},
		{Name: "compression-lz4", Run: compression(sarama.CompressionLZ4)},
		{Name: "compression-zstd", Run: compression(sarama.CompressionZSTD)},
		{Name: "headers", Run: headers},
		{Name: "null-key-value", Run: nullKeyValue},
		{Name: "message-1mb", Run: message1mb},
		{Name: "message-too-large", Run: messageTooLarge},
		{Name: "idempotent-produce", Run: idempotentProduce},
		{Name: "admin-topics", Run: adminTopics},
		{Name: "admin-create-partitions", Run: adminCreatePartitions},
		{Name: "admin-configs", Run: adminConfigs},
		{Name: "admin-groups", Run: adminGroups},
	})
}
