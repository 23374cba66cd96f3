// interop.go - franz-go as one of the programs that tests/kafka/interop.py calls.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func decode(text string) []byte {
	if text == "-" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text[1:])
	check(err)
	return data
}

func encode(data []byte) string {
	if data == nil {
		return "-"
	}
	return "=" + base64.StdEncoding.EncodeToString(data)
}

func record(topic string, line string) *kgo.Record {
	part := strings.Split(line, "\t")
	partition, err := strconv.Atoi(part[0])
	check(err)
	millis, err := strconv.ParseInt(part[1], 10, 64)
	check(err)
	made := &kgo.Record{Topic: topic, Partition: int32(partition), Timestamp: time.UnixMilli(millis),
		Key: decode(part[2]), Value: decode(part[3])}
	for _, header := range strings.Split(part[4], ",") {
		if name, value, found := strings.Cut(header, ":"); found {
			made.Headers = append(made.Headers,
				kgo.RecordHeader{Key: string(decode(name)), Value: decode(value)})
		}
	}
	return made
}

// Where the record says so; else as Java does.
type partitioner struct{ kgo.TopicPartitioner }

func (own partitioner) Partition(made *kgo.Record, count int) int {
	if made.Partition >= 0 {
		return int(made.Partition)
	}
	return own.TopicPartitioner.Partition(made, count)
}

type partitioners struct{ kgo.Partitioner }

func (own partitioners) ForTopic(topic string) kgo.TopicPartitioner {
	return partitioner{own.Partitioner.ForTopic(topic)}
}

func produce(bootstrap, topic, codec string) {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	var lines []string
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codecs[codec]),
		kgo.RecordPartitioner(partitioners{kgo.StickyKeyPartitioner(nil)})}
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 1<<24)
	transactional := false
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
		transactional = transactional || scanner.Text() == "B"
	}
	if transactional {
		options = append(options, kgo.TransactionalID("interop-"+topic))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	background := context.Background()
	for _, line := range lines {
		switch line {
		case "B":
			check(client.BeginTransaction())
		case "C", "A":
			check(client.Flush(background))
			check(client.EndTransaction(background, kgo.TransactionEndTry(line == "C")))
		default:
			client.Produce(background, record(topic, line), func(_ *kgo.Record, err error) { check(err) })
		}
	}
	check(client.Flush(background))
	client.Close()
}

func consume(bootstrap, topic string, count int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	check(err)
	limit, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	out := bufio.NewWriter(os.Stdout)
	for got := 0; got < count && limit.Err() == nil; {
		client.PollFetches(limit).EachRecord(func(made *kgo.Record) {
			var headers []string
			for _, header := range made.Headers {
				headers = append(headers, encode([]byte(header.Key))+":"+encode(header.Value))
			}
			fmt.Fprintf(out, "%d\t%d\t%d\t%s\t%s\t%s\n", made.Partition, made.Offset,
				made.Timestamp.UnixMilli(), encode(made.Key), encode(made.Value),
				strings.Join(headers, ","))
			got++
		})
	}
	check(out.Flush())
	client.Close()
}

func main() {
	if os.Args[1] == "produce" {
		produce(os.Args[2], os.Args[3], os.Args[4])
		return
	}
	count, err := strconv.Atoi(os.Args[4])
	check(err)
	consume(os.Args[2], os.Args[3], count)
}
