/*
 * json_simdjson.cpp - the limit: simdjson's On-Demand parser on the bytes that json_decode reads.
 *
 *   json_simdjson flights|bids FILE.ndjson [ROUNDS]
 *
 * Reads the five fields of each record that weir's decoder converts: once record by record, as a
 * log gives them, once as a stream of documents. It checks less than a decoder must: what it is
 * not asked for may be anything. Compiled by bench/json.sh alone.
 */
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

using namespace simdjson;

/* CPU seconds, so that what else runs on the machine counts little. */
static double now() {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int64_t sum;

template <typename Document> static void read_bid(Document &doc) {
    sum += doc["auction"].get_int64().value();
    sum += doc["bidder"].get_int64().value();
    sum += doc["price"].get_int64().value();
    sum += (int64_t)std::string_view(doc["channel"].get_string().value()).size();
    sum += doc["dateTime"].get_int64().value();
}

template <typename Document> static void read_flight(Document &doc) {
    sum += (int64_t)std::string_view(doc["date"].get_string().value()).size();
    sum += doc["delay"].get_int64().value();
    sum += doc["distance"].get_int64().value();
    sum += (int64_t)std::string_view(doc["origin"].get_string().value()).size();
    sum += (int64_t)std::string_view(doc["destination"].get_string().value()).size();
}

static size_t run_records(const padded_string &text, bool bids) {
    ondemand::parser parser;
    const char *at = text.data(), *end = at + text.size();
    size_t rows = 0;
    while (at < end) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            break;
        auto doc = parser.iterate(at, (size_t)(stop - at),
                                  (size_t)(end - at) + SIMDJSON_PADDING);
        if (bids)
            read_bid(doc);
        else
            read_flight(doc);
        rows++;
        at = stop + 1;
    }
    return rows;
}

static size_t run_stream(const padded_string &text, bool bids) {
    ondemand::parser parser;
    ondemand::document_stream stream;
    if (parser.iterate_many(text, 1 << 20).get(stream))
        return 0;
    size_t rows = 0;
    for (auto doc : stream) {
        if (bids)
            read_bid(doc);
        else
            read_flight(doc);
        rows++;
    }
    return rows;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: json_simdjson flights|bids FILE.ndjson [ROUNDS]\n");
        return 2;
    }
    bool bids = strcmp(argv[1], "bids") == 0;
    padded_string text = padded_string::load(argv[2]).value();
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    for (int kind = 0; kind < 2; kind++) {
        double best = 1e9;
        size_t rows = 0;
        for (int i = 0; i < rounds; i++) {
            double start = now();
            rows = kind == 0 ? run_records(text, bids) : run_stream(text, bids);
            double s = now() - start;
            best = s < best ? s : best;
        }
        printf("simd %-10s %-7s %8.1f MB/s %8.3f M rows/s %7.1f ns a row\n", argv[1],
               kind == 0 ? "record" : "stream", (double)text.size() / best / 1e6,
               (double)rows / best / 1e6, best * 1e9 / (double)rows);
    }
    return sum == 42;
}
