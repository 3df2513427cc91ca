// SPDX-License-Identifier: Apache-2.0

// The suite of franz-go: kgo for data, kadm for administration.
package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"odradek/compat/kit"
)

func client(options ...kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(kit.Bootstrap())}, options...)...)
	kit.Good(err, "a client")
	return c
}

func within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), kit.Limit)
	_ = cancel // the limit ends it
	return ctx
}

func admin(ask func(*kadm.Client)) {
	c := client()
	defer c.Close()
	ask(kadm.NewClient(c))
}

// topic creates a topic and waits until its leader serves it.
func topic(what string, partitions int32) string {
	full := kit.Name(what)
	admin(func(a *kadm.Client) {
		_, err := a.CreateTopic(within(), partitions, 1, nil, full)
		kit.Good(err, "create of "+full)
		kit.Becomes(int(partitions), func() any {
			ends, err := a.ListEndOffsets(within(), full)
			if err != nil || ends.Error() != nil {
				return 0
			}
			return len(ends[full])
		}, "partitions served of "+full)
	})
	return full
}

func fill(to string, count, pad int, options ...kgo.Opt) {
	c := client(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	defer c.Close()
	var records []*kgo.Record
	for i := 0; i < count; i++ {
		records = append(records, &kgo.Record{Topic: to, Value: kit.Value(i, pad)})
	}
	results := c.ProduceSync(within(), records...)
	kit.Good(results.FirstErr(), "produce")
	for i, result := range results {
		kit.Same(int64(i), result.Record.Offset, "the offset told")
	}
}

func take(c *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	for ctx := within(); len(records) < count && ctx.Err() == nil; {
		fetches := c.PollRecords(ctx, count-len(records))
		for _, err := range fetches.Errors() {
			kit.Good(err.Err, "fetch")
		}
		records = append(records, fetches.Records()...)
	}
	kit.Same(count, len(records), "count of records")
	return records
}

func read(of string, start int64, count int) []*kgo.Record {
	c := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		of: {0: kgo.NewOffset().At(start)}}))
	defer c.Close()
	return take(c, count)
}

func checkFilled(of string, start, count, pad int) {
	for i, record := range read(of, int64(start), count-start) {
		kit.Same(int64(start+i), record.Offset, "offset")
		kit.SameBytes(kit.Value(start+i, pad), record.Value, "value")
	}
}

func produce() {
	to := topic("produce", 3)
	c := client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()))
	defer c.Close()
	var records []*kgo.Record
	for i := 0; i < 90; i++ {
		records = append(records, &kgo.Record{Topic: to, Partition: int32(i % 3),
			Key: []byte("key"), Value: []byte(fmt.Sprintf("value-%d", i))})
	}
	kit.Good(c.ProduceSync(within(), records...).FirstErr(), "produce")
	for i, record := range records {
		kit.Same(int32(i%3), record.Partition, "partition")
		kit.Same(int64(i/3), record.Offset, "offset")
	}
}

func consumeFromBeginning() {
	to := topic("beginning", 1)
	fill(to, 1000, 100)
	checkFilled(to, 0, 1000, 100)
	checkFilled(to, 700, 1000, 100)
}

func consumeFromTime() {
	to := topic("time", 1)
	c := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer c.Close()
	for i := int64(0); i < 100; i += 10 {
		var records []*kgo.Record
		for j := i; j < i+10; j++ {
			records = append(records, &kgo.Record{Topic: to, Value: []byte(fmt.Sprint(j)),
				Timestamp: time.UnixMilli(kit.TimeBase + j*1000)})
		}
		kit.Good(c.ProduceSync(within(), records...).FirstErr(), "produce")
	}
	admin(func(a *kadm.Client) {
		for _, one := range append(kit.TimeCases, [2]int64{kit.TimeAfter, 100}) {
			found, err := a.ListOffsetsAfterMilli(within(), one[0], to)
			kit.Good(err, "offsets")
			// For a time after the last message kadm asks again, for the end.
			kit.Same(one[1], found[to][0].Offset, fmt.Sprintf("the offset for %d", one[0]))
		}
	})
	reader := client(kgo.ConsumeTopics(to),
		kgo.ConsumeStartOffset(kgo.NewOffset().AfterMilli(kit.TimeBase+44500)))
	defer reader.Close()
	record := take(reader, 1)[0]
	kit.Same("45", string(record.Value), "value")
	kit.Same(kit.TimeBase+45000, record.Timestamp.UnixMilli(), "timestamp")
}

func groupMember(group, of string, options ...kgo.Opt) *kgo.Client {
	return client(append([]kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(of),
		kgo.DisableAutoCommit(), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart())}, options...)...)
}

func groupCommitResume() {
	to := topic("resume", 1)
	group := kit.Name("resume-group")
	fill(to, 100, 10)
	first := groupMember(group, to)
	kit.Good(first.CommitRecords(within(), take(first, 40)...), "commit")
	first.Close()
	admin(func(a *kadm.Client) {
		offsets, err := a.FetchOffsets(within(), group)
		kit.Good(err, "offsets")
		kit.Same(int64(40), offsets[to][0].At, "committed")
	})
	second := groupMember(group, to)
	defer second.Close()
	for i, record := range take(second, 60) {
		kit.Same(int64(40+i), record.Offset, "offset")
	}
}

// balance lets a second member join; both must get partitions, none be read twice. The group is named like the topic.
func balance(what string, together func(), also ...kgo.Opt) {
	to := topic(what, 4)
	assigned := [2]chan int32{make(chan int32, 16), make(chan int32, 16)}
	options := func(i int) []kgo.Opt {
		return append([]kgo.Opt{kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client,
			got map[string][]int32) {
			for _, partition := range got[to] {
				assigned[i] <- partition
			}
		})}, also...)
	}
	member := func(i int) *kgo.Client {
		c := groupMember(kit.Name(what), to, options(i)...)
		go func() {
			for !c.PollFetches(context.Background()).IsClientClosed() {
			}
		}()
		return c
	}
	next := func(i int) int32 {
		select {
		case partition := <-assigned[i]:
			return partition
		case <-time.After(kit.Limit):
			panic("no assignment")
		}
	}
	first := member(0)
	defer first.Close()
	for i := 0; i < 4; i++ {
		next(0)
	}
	second := member(1)
	got := map[int32]bool{next(1): true}
	got[next(1)] = true
	kit.Same(2, len(got), "partitions of the second member")
	together()
	second.Close()
	back := map[int32]bool{next(0): true}
	back[next(0)] = true
	kit.Same(got, back, "partitions that came back")
}

func groupCooperative() {
	balance("cooperative", func() {}, kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.HeartbeatInterval(100*time.Millisecond))
}

// groupConsumerProtocol is the same with the group's coordinator as the balancer (KIP-848).
func groupConsumerProtocol() {
	for assignor, balancer := range map[string]kgo.GroupBalancer{
		"uniform": kgo.StickyBalancer(), "range": kgo.RangeBalancer()} {
		balance(assignor, func() {
			admin(func(a *kadm.Client) {
				described, err := a.DescribeConsumerGroups(within(), kit.Name(assignor))
				kit.Good(err, "describe")
				kit.Same(assignor, described[kit.Name(assignor)].AssignorName, "the assignor")
			})
		}, kgo.Balancers(balancer), kgo.ServerSideBalancer())
	}
}

// groupRegex reads what the coordinator finds for an expression, also a topic that is made later.
func groupRegex() {
	first := topic("regex-first", 1)
	fill(first, 10, 1)
	c := client(kgo.ConsumerGroup(kit.Name("regex-group")), kgo.ConsumeTopics("^"+kit.Name("regex-")+"(first|later)$"),
		kgo.ConsumeRegex(), kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer(), kgo.DisableAutoCommit(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.MetadataMaxAge(time.Second))
	defer c.Close()
	kit.Same(first, take(c, 10)[0].Topic, "the topic that is there")
	later := topic("regex-later", 1)
	fill(later, 10, 1)
	kit.Same(later, take(c, 10)[0].Topic, "the topic that came later")
}

func compression(codec kgo.CompressionCodec, what string) func() {
	return func() {
		to := topic("compression-"+what, 1)
		fill(to, 2000, 500, kgo.ProducerBatchCompression(codec))
		checkFilled(to, 0, 2000, 500)
		checkFilled(to, 1234, 2000, 500)
	}
}

func headers() {
	to := topic("headers", 1)
	record := &kgo.Record{Topic: to, Value: []byte("v")}
	for _, header := range kit.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	c := client()
	defer c.Close()
	kit.Good(c.ProduceSync(within(), record).FirstErr(), "produce")
	got := read(to, 0, 1)[0].Headers
	kit.Same(len(kit.Headers), len(got), "count of headers")
	for i, header := range kit.Headers {
		kit.Same(header.Key, got[i].Key, "key")
		kit.SameBytes(header.Value, got[i].Value, "value of "+header.Key)
	}
}

func nullKeyValue() {
	to := topic("null", 1)
	c := client()
	defer c.Close()
	for _, pair := range kit.KeysValues {
		kit.Good(c.ProduceSync(within(),
			&kgo.Record{Topic: to, Key: pair[0], Value: pair[1]}).FirstErr(), "produce")
	}
	for i, record := range read(to, 0, len(kit.KeysValues)) {
		kit.SameBytes(kit.KeysValues[i][0], record.Key, "key")
		kit.SameBytes(kit.KeysValues[i][1], record.Value, "value")
	}
}

func sendLarge(to string, size int) (int64, error) {
	c := client(kgo.ProducerBatchMaxBytes(3000000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer c.Close()
	result := c.ProduceSync(within(), &kgo.Record{Topic: to, Value: kit.Large(size)})[0]
	return result.Record.Offset, result.Err
}

func message1mb() {
	to := topic("1mb", 1)
	for i := 0; i < 3; i++ {
		offset, err := sendLarge(to, kit.LargestValue)
		kit.Good(err, "produce")
		kit.Same(int64(i), offset, "offset")
	}
	for _, record := range read(to, 0, 3) {
		kit.SameBytes(kit.Large(kit.LargestValue), record.Value, "value")
	}
}

func messageTooLarge() {
	to := topic("too-large", 1)
	for _, size := range []int{kit.LargestValue + 1, 2500000} {
		_, err := sendLarge(to, size)
		kit.Refused(kerr.MessageTooLarge, err, fmt.Sprint(size, " bytes"))
	}
	offset, err := sendLarge(to, 10)
	kit.Good(err, "a small one")
	kit.Same(int64(0), offset, "the first offset after refusals")
}

// idempotentProduce: franz-go is idempotent unless told otherwise.
func idempotentProduce() {
	to := topic("idempotent", 1)
	fill(to, 1000, 50, kgo.ProducerBatchMaxBytes(2000))
	checkFilled(to, 0, 1000, 50)
	plain := topic("not-idempotent", 1)
	fill(plain, 1000, 50, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
	checkFilled(plain, 0, 1000, 50)
}

// committed is what a consumer of read_committed gets, as many as there ought to be.
func committed(of string, count int) []string {
	c := client(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{of: {0: kgo.NewOffset().AtStart()}}))
	defer c.Close()
	var out []string
	for _, record := range take(c, count) {
		out = append(out, string(record.Value))
	}
	return out
}

func transactions() {
	to := topic("transactions", 1)
	id := kit.Name("transactions-id")
	begin := func() *kgo.Client { return client(kgo.TransactionalID(id)) }
	old := begin()
	defer old.Close()
	var want []string
	for i := 0; i < 20; i++ {
		kit.Good(old.BeginTransaction(), "begin")
		value := fmt.Sprint(i)
		kit.Good(old.ProduceSync(within(), &kgo.Record{Topic: to, Value: []byte(value)}).FirstErr(), "produce")
		commit := kgo.TransactionEndTry(i%4 != 3)
		kit.Good(old.EndTransaction(within(), commit), "end")
		if commit {
			want = append(want, value)
		}
	}
	kit.Same(fmt.Sprint(want), fmt.Sprint(committed(to, len(want))), "committed")
	kit.Good(old.BeginTransaction(), "begin")
	kit.Good(old.ProduceSync(within(), &kgo.Record{Topic: to, Value: []byte("old")}).FirstErr(), "produce")
	young := begin()
	defer young.Close()
	kit.Good(young.BeginTransaction(), "begin")
	kit.Good(young.ProduceSync(within(), &kgo.Record{Topic: to, Value: []byte("young")}).FirstErr(), "produce")
	err := old.EndTransaction(within(), kgo.TryCommit)
	kit.Same(true, err != nil, "the old producer is fenced")
	kit.Good(young.EndTransaction(within(), kgo.TryCommit), "end")
	want = append(want, "young")
	kit.Same(fmt.Sprint(want), fmt.Sprint(committed(to, len(want))), "committed in the end")
}

func partitionsOf(a *kadm.Client, full string) func() any {
	return func() any {
		topics, err := a.ListTopics(within())
		kit.Good(err, "list of topics")
		return len(topics[full].Partitions)
	}
}

func adminTopics() {
	full := kit.Name("admin")
	create := func(a *kadm.Client, name string, replicas int16, configs map[string]*string) error {
		_, err := a.CreateTopic(within(), 4, replicas, configs, name)
		return err
	}
	admin(func(a *kadm.Client) {
		kit.Good(create(a, full, 1, map[string]*string{"retention.ms": kadm.StringPtr("5000")}), "create")
		kit.Becomes(4, partitionsOf(a, full), "partitions")
		kit.Refused(kerr.TopicAlreadyExists, create(a, full, 1, nil), "the same name")
		kit.Refused(kerr.InvalidTopicException, create(a, "bad name!", 1, nil), "a bad name")
		kit.Refused(kerr.InvalidReplicationFactor, create(a, kit.Name("rf"), 2, nil), "replicas")
		kit.Refused(kerr.InvalidConfig, create(a, kit.Name("c"), 1,
			map[string]*string{"retention.ms": kadm.StringPtr("soon")}), "a bad config")
		_, err := a.DeleteTopic(within(), full)
		kit.Good(err, "delete")
		kit.Becomes(0, partitionsOf(a, full), "partitions after the deletion")
		_, err = a.DeleteTopic(within(), full)
		kit.Refused(kerr.UnknownTopicOrPartition, err, "delete of no topic")
	})
}

func adminCreatePartitions() {
	full := topic("grow", 2)
	admin(func(a *kadm.Client) {
		grow := func(to int) error {
			answer, err := a.UpdatePartitions(within(), to, full)
			kit.Good(err, "create partitions")
			return answer[full].Err
		}
		kit.Good(grow(5), "to 5")
		kit.Becomes(5, partitionsOf(a, full), "partitions")
		kit.Refused(kerr.InvalidPartitions, grow(3), "to 3")
		kit.Refused(kerr.InvalidPartitions, grow(5), "to 5 again")
	})
}

func config(a *kadm.Client, full, key string) func() any {
	return func() any {
		found, err := a.DescribeTopicConfigs(within(), full)
		kit.Good(err, "describe")
		for _, one := range found[0].Configs {
			if one.Key == key {
				return one.MaybeValue()
			}
		}
		return nil
	}
}

func adminConfigs() {
	full := topic("configs", 1)
	admin(func(a *kadm.Client) {
		alter := func(op kadm.IncrementalOp, key, value string) error {
			answer, err := a.AlterTopicConfigs(within(),
				[]kadm.AlterConfig{{Op: op, Name: key, Value: &value}}, full)
			kit.Good(err, "alter")
			return answer[0].Err
		}
		kit.Same("604800000", config(a, full, "retention.ms")(), "default")
		kit.Good(alter(kadm.SetConfig, "retention.ms", "12345"), "set")
		kit.Becomes("12345", config(a, full, "retention.ms"), "set")
		kit.Good(alter(kadm.AppendConfig, "cleanup.policy", "compact"), "append")
		kit.Becomes("delete,compact", config(a, full, "cleanup.policy"), "appended")
		kit.Good(alter(kadm.DeleteConfig, "retention.ms", ""), "unset")
		kit.Becomes("604800000", config(a, full, "retention.ms"), "unset")
		kit.Refused(kerr.InvalidConfig, alter(kadm.SetConfig, "retention.ms", "soon"), "no number")
		broker, err := a.DescribeBrokerConfigs(within(), 1)
		kit.Good(err, "describe of the broker")
		for _, one := range broker[0].Configs {
			if one.Key == "node.id" {
				kit.Same("1", one.MaybeValue(), "node.id")
			}
		}
	})
}

func adminGroups() {
	full := topic("groups", 1)
	group := kit.Name("group")
	fill(full, 5, 5)
	member := groupMember(group, full, kgo.ClientID("franz-go-suite"))
	kit.Good(member.CommitRecords(within(), take(member, 5)...), "commit")
	admin(func(a *kadm.Client) {
		described, err := a.DescribeGroups(within(), group)
		kit.Good(err, "describe")
		kit.Same("Stable", described[group].State, "state")
		kit.Same("franz-go-suite", described[group].Members[0].ClientID, "client id")
		answer, err := a.DeleteGroup(within(), group)
		kit.Refused(kerr.NonEmptyGroup, orErr(answer.Err, err), "delete of a living group")
		member.Close()
		described, err = a.DescribeGroups(within(), group)
		kit.Good(err, "describe")
		kit.Same("Empty", described[group].State, "state when all left")
		listed, err := a.ListGroups(within())
		kit.Good(err, "list")
		kit.Same("consumer", listed[group].ProtocolType, "listed")
		answer, err = a.DeleteGroup(within(), group)
		kit.Good(orErr(answer.Err, err), "delete")
		answer, err = a.DeleteGroup(within(), group)
		kit.Refused(kerr.GroupIDNotFound, orErr(answer.Err, err), "delete of no group")
	})
}

func orErr(one, two error) error {
	if one != nil {
		return one
	}
	return two
}

func adminGroupOffsets() {
	full := topic("group-offsets", 1)
	group := kit.Name("group-offsets")
	fill(full, 20, 5)
	admin(func(a *kadm.Client) {
		offsets := kadm.Offsets{}
		offsets.Add(kadm.Offset{Topic: full, Partition: 0, At: 7, LeaderEpoch: -1, Metadata: "m"})
		kit.Good(a.CommitAllOffsets(within(), group, offsets), "commit")
		found, err := a.FetchOffsets(within(), group)
		kit.Good(err, "fetch")
		kit.Same(int64(7), found[full][0].At, "offset")
		kit.Same("m", found[full][0].Metadata, "metadata")
	})
	member := groupMember(group, full)
	defer member.Close()
	kit.Same(int64(7), take(member, 1)[0].Offset, "goes on from")
}

func adminListOffsets() {
	full := topic("list-offsets", 1)
	fill(full, 10, 5)
	admin(func(a *kadm.Client) {
		start, err := a.ListStartOffsets(within(), full)
		kit.Good(err, "start")
		kit.Same(int64(0), start[full][0].Offset, "start")
		end, err := a.ListEndOffsets(within(), full)
		kit.Good(err, "end")
		kit.Same(int64(10), end[full][0].Offset, "end")
		committed, err := a.ListCommittedOffsets(within(), full)
		kit.Good(err, "committed")
		kit.Same(int64(10), committed[full][0].Offset, "the last stable offset")
		max, err := a.ListMaxTimestampOffsets(within(), full)
		kit.Good(err, "max timestamp")
		kit.Same(true, max[full][0].Offset >= 0 && max[full][0].Offset < 10, "max timestamp")
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
		{Name: "group-cooperative", Run: groupCooperative},
		{Name: "group-consumer-protocol", Run: groupConsumerProtocol},
		{Name: "group-consumer-regex", Run: groupRegex},
		{Name: "compression-gzip", Run: compression(kgo.GzipCompression(), "gzip")},
		{Name: "compression-snappy", Run: compression(kgo.SnappyCompression(), "snappy")},
		{Name: "compression-lz4", Run: compression(kgo.Lz4Compression(), "lz4")},
		{Name: "compression-zstd", Run: compression(kgo.ZstdCompression(), "zstd")},
		{Name: "headers", Run: headers},
		{Name: "null-key-value", Run: nullKeyValue},
		{Name: "message-1mb", Run: message1mb},
		{Name: "message-too-large", Run: messageTooLarge},
		{Name: "idempotent-produce", Run: idempotentProduce},
		{Name: "transactions", Run: transactions},
		{Name: "admin-topics", Run: adminTopics},
		{Name: "admin-create-partitions", Run: adminCreatePartitions},
		{Name: "admin-configs", Run: adminConfigs},
		{Name: "admin-groups", Run: adminGroups},
		{Name: "admin-group-offsets", Run: adminGroupOffsets},
		{Name: "admin-list-offsets", Run: adminListOffsets},
	})
}
