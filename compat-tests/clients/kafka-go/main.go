// SPDX-License-Identifier: Apache-2.0

// The suite of segmentio/kafka-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/segmentio/kafka-go"

	"odradek/compat/kit"
)

var client = &kafka.Client{Addr: kafka.TCP(kit.Bootstrap()), Timeout: kit.Limit}

func within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), kit.Limit)
	_ = cancel // the limit ends it
	return ctx
}

func create(new kafka.TopicConfig) error {
	answer, err := client.CreateTopics(within(),
		&kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{new}})
	kit.Good(err, "create")
	return answer.Errors[new.Topic]
}

func listOffset(of string, partition int, at int64) (int64, error) {
	answer, err := client.ListOffsets(within(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{of: {{Partition: partition, Timestamp: at}}}})
	if err != nil {
		return 0, err
	}
	found := answer.Topics[of][0]
	switch at {
	case kafka.FirstOffset:
		return found.FirstOffset, found.Error
	case kafka.LastOffset:
		return found.LastOffset, found.Error
	}
	for offset := range found.Offsets {
		return offset, found.Error
	}
	return -1, found.Error
}

// topic creates a topic and waits until its leader serves it.
func topic(what string, partitions int) string {
	full := kit.Name(what)
	kit.Good(create(kafka.TopicConfig{Topic: full, NumPartitions: partitions,
		ReplicationFactor: 1}), "create of "+full)
	for p := 0; p < partitions; p++ {
		kit.Becomes(int64(0), func() any {
			end, err := listOffset(full, p, kafka.LastOffset)
			if err != nil {
				return err.Error()
			}
			return end
		}, "the end of an empty partition")
	}
	return full
}

func writer(to string, change func(*kafka.Writer)) *kafka.Writer {
	// With a transport of its own: the common one keeps what it once heard of topics for a while.
	w := &kafka.Writer{Addr: kafka.TCP(kit.Bootstrap()), Topic: to,
		RequiredAcks: kafka.RequireAll, Transport: &kafka.Transport{},
		BatchTimeout: 5 * time.Millisecond, BatchBytes: 900000, BatchSize: 500, MaxAttempts: 5}
	if change != nil {
		change(w)
	}
	return w
}

func send(to string, change func(*kafka.Writer), messages ...kafka.Message) error {
	w := writer(to, change)
	defer w.Transport.(*kafka.Transport).CloseIdleConnections()
	defer w.Close()
	return w.WriteMessages(within(), messages...)
}

func fill(to string, count, pad int, change func(*kafka.Writer)) {
	var messages []kafka.Message
	for i := 0; i < count; i++ {
		messages = append(messages, kafka.Message{Value: kit.Value(i, pad)})
	}
	kit.Good(send(to, change, messages...), "produce")
	end, err := listOffset(to, 0, kafka.LastOffset)
	kit.Good(err, "the end")
	kit.Same(int64(count), end, "the end")
}

func take(r *kafka.Reader, count int) []kafka.Message {
	var messages []kafka.Message
	for ctx := within(); len(messages) < count; {
		message, err := r.FetchMessage(ctx)
		kit.Good(err, "fetch")
		messages = append(messages, message)
	}
	return messages
}

func reader(of string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{kit.Bootstrap()}, Topic: of,
		MaxWait: 100 * time.Millisecond, MaxBytes: 4 << 20})
}

func read(of string, start int64, count int) []kafka.Message {
	r := reader(of)
	defer r.Close()
	kit.Good(r.SetOffset(start), "seek")
	return take(r, count)
}

func checkFilled(of string, start, count, pad int) {
	for i, message := range read(of, int64(start), count-start) {
		kit.Same(int64(start+i), message.Offset, "offset")
		kit.SameBytes(kit.Value(start+i, pad), message.Value, "value")
	}
}

func produce() {
	to := topic("produce", 3)
	next := 0
	var told [][]int64 = make([][]int64, 3)
	w := writer(to, func(w *kafka.Writer) {
		w.Balancer = kafka.BalancerFunc(func(kafka.Message, ...int) int { next++; return (next - 1) % 3 })
		w.Completion = func(messages []kafka.Message, err error) {
			kit.Good(err, "produce")
			for _, message := range messages {
				told[message.Partition] = append(told[message.Partition], message.Offset)
			}
		}
	})
	for i := 0; i < 9; i++ {
		kit.Good(w.WriteMessages(within(), kafka.Message{Key: []byte("key"),
			Value: []byte(fmt.Sprintf("value-%d", i))}), "produce")
	}
	kit.Good(w.Close(), "close")
	kit.Same([][]int64{{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}, told, "offsets told")
}

func consumeFromBeginning() {
	to := topic("beginning", 1)
	fill(to, 1000, 100, nil)
	checkFilled(to, 0, 1000, 100)
	checkFilled(to, 700, 1000, 100)
	kit.Same(int64(0), read(to, kafka.FirstOffset, 1)[0].Offset, "the first")
}

func consumeFromTime() {
	to := topic("time", 1)
	for i := int64(0); i < 100; i += 10 {
		var messages []kafka.Message
		for j := i; j < i+10; j++ {
			messages = append(messages, kafka.Message{Value: []byte(fmt.Sprint(j)),
				Time: time.UnixMilli(kit.TimeBase + j*1000)})
		}
		kit.Good(send(to, nil, messages...), "produce")
	}
	for _, one := range append(kit.TimeCases, [2]int64{kit.TimeAfter, -1}) {
		found, err := listOffset(to, 0, one[0])
		kit.Good(err, "offset")
		kit.Same(one[1], found, fmt.Sprintf("the offset for %d", one[0]))
	}
	r := reader(to)
	defer r.Close()
	kit.Good(r.SetOffsetAt(within(), time.UnixMilli(kit.TimeBase+44500)), "seek")
	message := take(r, 1)[0]
	kit.Same("45", string(message.Value), "value")
	kit.Same(kit.TimeBase+45000, message.Time.UnixMilli(), "timestamp")
}

func member(group, of string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{kit.Bootstrap()}, Topic: of,
		GroupID: group, MaxWait: 100 * time.Millisecond, StartOffset: kafka.FirstOffset,
		Dialer: &kafka.Dialer{ClientID: "kafka-go-suite", Timeout: kit.Limit}})
}

func committed(group, of string) any {
	answer, err := client.OffsetFetch(within(), &kafka.OffsetFetchRequest{GroupID: group,
		Topics: map[string][]int{of: {0}}})
	kit.Good(err, "offset fetch")
	return answer.Topics[of][0].CommittedOffset
}

func groupCommitResume() {
	to := topic("resume", 1)
	group := kit.Name("resume-group")
	fill(to, 100, 10, nil)
	first := member(group, to)
	kit.Good(first.CommitMessages(within(), take(first, 40)...), "commit")
	kit.Same(int64(40), committed(group, to), "committed")
	kit.Good(first.Close(), "close")
	second := member(group, to)
	defer second.Close()
	for i, message := range take(second, 60) {
		kit.Same(int64(40+i), message.Offset, "offset")
	}
}

func compression(codec kafka.Compression) func() {
	return func() {
		to := topic("compression-"+codec.String(), 1)
		fill(to, 2000, 500, func(w *kafka.Writer) { w.Compression = codec })
		checkFilled(to, 0, 2000, 500)
		checkFilled(to, 1234, 2000, 500)
	}
}

func headers() {
	to := topic("headers", 1)
	message := kafka.Message{Value: []byte("v")}
	for _, header := range kit.Headers {
		message.Headers = append(message.Headers, kafka.Header{Key: header.Key, Value: header.Value})
	}
	kit.Good(send(to, nil, message), "produce")
	got := read(to, 0, 1)[0].Headers
	kit.Same(len(kit.Headers), len(got), "count of headers")
	for i, header := range kit.Headers {
		kit.Same(header.Key, got[i].Key, "key")
		// The client does not tell a null value from an empty one.
		kit.Same(string(header.Value), string(got[i].Value), "value of "+header.Key)
	}
}

func nullKeyValue() {
	to := topic("null", 1)
	for _, pair := range kit.KeysValues {
		kit.Good(send(to, nil, kafka.Message{Key: pair[0], Value: pair[1]}), "produce")
	}
	for i, message := range read(to, 0, len(kit.KeysValues)) {
		for j, got := range [][]byte{message.Key, message.Value} {
			// The client reads an empty one as null, so only what is null is told for certain.
			want := kit.KeysValues[i][j]
			kit.Same(string(want), string(got), "key or value")
			kit.Same(true, want != nil || got == nil, "null stays null")
		}
	}
}

func sendLarge(to string, size int) error {
	return send(to, func(w *kafka.Writer) { w.BatchBytes = 3000000 },
		kafka.Message{Value: kit.Large(size)})
}

func message1mb() {
	to := topic("1mb", 1)
	for i := 0; i < 3; i++ {
		kit.Good(sendLarge(to, kit.LargestValue), "produce")
	}
	for _, message := range read(to, 0, 3) {
		kit.SameBytes(kit.Large(kit.LargestValue), message.Value, "value")
	}
}

func messageTooLarge() {
	to := topic("too-large", 1)
	for _, size := range []int{kit.LargestValue + 1, 2500000} {
		err := sendLarge(to, size)
		var each kafka.WriteErrors
		if errors.As(err, &each) {
			err = each[0]
		}
		kit.Refused(kafka.MessageSizeTooLarge, err, fmt.Sprint(size, " bytes"))
	}
	kit.Good(sendLarge(to, 10), "a small one")
	kit.Same(int64(0), read(to, 0, 1)[0].Offset, "the first offset after refusals")
}

func partitionsOf(full string) func() any {
	return func() any {
		transport := &kafka.Transport{} // a new one, which must ask
		defer transport.CloseIdleConnections()
		answer, err := (&kafka.Client{Addr: client.Addr, Transport: transport}).Metadata(within(),
			&kafka.MetadataRequest{})
		kit.Good(err, "metadata")
		for _, one := range answer.Topics {
			if one.Name == full {
				return len(one.Partitions)
			}
		}
		return 0
	}
}

func adminTopics() {
	full := kit.Name("admin")
	kit.Good(create(kafka.TopicConfig{Topic: full, NumPartitions: 4, ReplicationFactor: 1,
		ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "5000"}}}),
		"create")
	kit.Becomes(4, partitionsOf(full), "partitions")
	for _, one := range []struct {
		want error
		new  kafka.TopicConfig
	}{
		{kafka.TopicAlreadyExists, kafka.TopicConfig{Topic: full}},
		{kafka.InvalidTopic, kafka.TopicConfig{Topic: "bad name!"}},
		{kafka.InvalidReplicationFactor, kafka.TopicConfig{Topic: kit.Name("rf"), ReplicationFactor: 2}},
		{kafka.InvalidConfiguration, kafka.TopicConfig{Topic: kit.Name("c"), ReplicationFactor: 1,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "soon"}}}},
	} {
		one.new.NumPartitions = 1
		if one.new.ReplicationFactor == 0 {
			one.new.ReplicationFactor = 1
		}
		kit.Refused(one.want, create(one.new), "create of "+one.new.Topic)
	}
	remove := func() error {
		answer, err := client.DeleteTopics(within(), &kafka.DeleteTopicsRequest{Topics: []string{full}})
		kit.Good(err, "delete")
		return answer.Errors[full]
	}
	kit.Good(remove(), "delete")
	kit.Becomes(0, partitionsOf(full), "partitions after the deletion")
	kit.Refused(kafka.UnknownTopicOrPartition, remove(), "delete of no topic")
}

func adminCreatePartitions() {
	full := topic("grow", 2)
	grow := func(to int32) error {
		answer, err := client.CreatePartitions(within(), &kafka.CreatePartitionsRequest{
			Topics: []kafka.TopicPartitionsConfig{{Name: full, Count: to}}})
		kit.Good(err, "create partitions")
		return answer.Errors[full]
	}
	kit.Good(grow(5), "to 5")
	kit.Becomes(5, partitionsOf(full), "partitions")
	kit.Refused(kafka.InvalidPartitionNumber, grow(3), "to 3")
	kit.Refused(kafka.InvalidPartitionNumber, grow(5), "to 5 again")
}

func config(kind kafka.ResourceType, name, key string) func() any {
	return func() any {
		answer, err := client.DescribeConfigs(within(), &kafka.DescribeConfigsRequest{
			Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kind,
				ResourceName: name, ConfigNames: []string{key}}}})
		kit.Good(err, "describe")
		kit.Good(answer.Resources[0].Error, "describe")
		if len(answer.Resources[0].ConfigEntries) != 1 {
			return nil
		}
		return answer.Resources[0].ConfigEntries[0].ConfigValue
	}
}

func adminConfigs() {
	full := topic("configs", 1)
	alter := func(op kafka.ConfigOperation, key, value string) error {
		answer, err := client.IncrementalAlterConfigs(within(),
			&kafka.IncrementalAlterConfigsRequest{
				Resources: []kafka.IncrementalAlterConfigsRequestResource{{
					ResourceType: kafka.ResourceTypeTopic, ResourceName: full,
					Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: key,
						Value: value, ConfigOperation: op}}}}})
		kit.Good(err, "alter")
		return answer.Resources[0].Error
	}
	retention := config(kafka.ResourceTypeTopic, full, "retention.ms")
	kit.Same("604800000", retention(), "default")
	kit.Good(alter(kafka.ConfigOperationSet, "retention.ms", "12345"), "set")
	kit.Becomes("12345", retention, "set")
	kit.Good(alter(kafka.ConfigOperationAppend, "cleanup.policy", "compact"), "append")
	kit.Becomes("delete,compact", config(kafka.ResourceTypeTopic, full, "cleanup.policy"), "appended")
	kit.Good(alter(kafka.ConfigOperationDelete, "retention.ms", ""), "unset")
	kit.Becomes("604800000", retention, "unset")
	kit.Refused(kafka.InvalidConfiguration,
		alter(kafka.ConfigOperationSet, "retention.ms", "soon"), "no number")
	kit.Same("1", config(kafka.ResourceTypeBroker, "1", "node.id")(), "node.id")
}

func describe(group string) kafka.DescribeGroupsResponseGroup {
	answer, err := client.DescribeGroups(within(),
		&kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	kit.Good(err, "describe")
	return answer.Groups[0]
}

func removeGroup(group string) error {
	answer, err := client.DeleteGroups(within(),
		&kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	kit.Good(err, "delete")
	return answer.Errors[group]
}

func adminGroups() {
	full := topic("groups", 1)
	group := kit.Name("group")
	fill(full, 5, 5, nil)
	m := member(group, full)
	kit.Good(m.CommitMessages(within(), take(m, 5)...), "commit")
	living := describe(group)
	kit.Same("Stable", living.GroupState, "state")
	kit.Same("kafka-go-suite", living.Members[0].ClientID, "client id")
	kit.Refused(kafka.NonEmptyGroup, removeGroup(group), "delete of a living group")
	kit.Good(m.Close(), "close")
	kit.Same("Empty", describe(group).GroupState, "state when all left")
	listed, err := client.ListGroups(within(), &kafka.ListGroupsRequest{})
	kit.Good(err, "list")
	found := false
	for _, one := range listed.Groups {
		found = found || one.GroupID == group
	}
	kit.Same(true, found, "listed")
	kit.Good(removeGroup(group), "delete")
	kit.Refused(kafka.GroupIdNotFound, removeGroup(group), "delete of no group")
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
		{Name: "compression-gzip", Run: compression(kafka.Gzip)},
		{Name: "compression-snappy", Run: compression(kafka.Snappy)},
		{Name: "compression-lz4", Run: compression(kafka.Lz4)},
		{Name: "compression-zstd", Run: compression(kafka.Zstd)},
		{Name: "headers", Run: headers},
		{Name: "null-key-value", Run: nullKeyValue},
		{Name: "message-1mb", Run: message1mb},
		{Name: "message-too-large", Run: messageTooLarge},
		{Name: "admin-topics", Run: adminTopics},
		{Name: "admin-create-partitions", Run: adminCreatePartitions},
		{Name: "admin-configs", Run: adminConfigs},
		{Name: "admin-groups", Run: adminGroups},
	})
}
