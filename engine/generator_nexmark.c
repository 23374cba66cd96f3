/*
 * generator_nexmark.c - Nexmark's persons, auctions and bids.
 *
 * Of 50 events the first is a person, the next three are auctions, the others bids; each event
 * draws from a stream of its own, keyed by (seed, event). So the three sources of one seed fit
 * together, and are what benchmarks of the same parameters use.
 */
#include <math.h>
#include <stdio.h>

#include "engine/generator_impl.h"

enum {
    EVENTS_OF_50 = 50,
    CHANNELS = 10004, /* four that half of all bids come by, and 10,000 */
    CHANNELS_HOT = 4,
    FIRST_ID = 1000,
    FILLER_BYTES = 1 << 20, /* letters that `extra` is cut from */
    AUCTION_EVENTS = 1666,  /* how long an auction lasts, at most twice that */
};

typedef enum NexmarkKind { NEXMARK_PERSON, NEXMARK_AUCTION, NEXMARK_BID } NexmarkKind;

struct Nexmark {
    NexmarkKind kind;
    const Datagen *datagen;
    uint64_t filler; /* the draw before the first letter */
    Bytes *channels, *urls; /* of bids */
};

static const uint64_t draw_step = 0xa0761d6478bd642fU;

/* wyrand. */
static uint64_t draw(uint64_t *state) {
    *state += draw_step;
    __extension__ typedef unsigned __int128 Wide;
    Wide product = (Wide)*state * (*state ^ 0xe7037ed1a0b428dbU);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static uint32_t draw_below(uint64_t *state, uint32_t count) {
    return (uint32_t)((draw(state) >> 32) * count >> 32);
}

static int64_t draw_price(uint64_t *state) {
    double part = (double)(draw(state) >> 11) * 0x1p-53;
    return llround(pow(10, 6 * part) * 100);
}

/* Letters and now and then a `gap`; blanks at the ends are cut off. */
static Bytes draw_words(uint64_t *state, uint32_t size_max, char gap, Arena *arena) {
    uint32_t size = 3 + draw_below(state, size_max - 3), from = 0;
    uint8_t *text = arena_raw(arena, size);
    for (uint32_t i = 0; i < size; i++)
        text[i] = (uint8_t)(draw_below(state, 13) == 0 ? gap : 'a' + (char)draw_below(state, 26));
    while (size > 0 && text[size - 1] == ' ')
        size--;
    while (from < size && text[from] == ' ')
        from++;
    return (Bytes){text + from, size - from};
}

/* Pads a record of `present` bytes to about `wanted`. */
static Bytes draw_extra(const Nexmark *nexmark, uint64_t *state, uint32_t present,
                        uint32_t wanted, Arena *arena) {
    if (present >= wanted)
        return (Bytes){(const uint8_t *)"", 0};
    uint32_t missing = wanted - present;
    uint32_t spread = (uint32_t)lround((double)missing * 0.2);
    uint32_t size = missing - spread + (spread > 0 ? draw_below(state, 2 * spread) : 0);
    uint32_t from = draw_below(state, FILLER_BYTES - size);
    uint8_t *text = arena_raw(arena, size);
    uint64_t letter = nexmark->filler + from * draw_step;
    for (uint32_t i = 0; i < size; i++)
        text[i] = (uint8_t)('a' + draw_below(&letter, 26));
    return (Bytes){text, size};
}

/* -- Who and what there is at an event --------------------------------------------------------- */

static int64_t last_person(int64_t event) {
    return event / EVENTS_OF_50;
}

static int64_t last_auction(int64_t event) {
    int64_t round = event / EVENTS_OF_50, place = event % EVENTS_OF_50;
    if (place < 1)
        return round * 3 - 1;
    return round * 3 + (place < 4 ? place - 1 : 2);
}

/* One of the last 1,000, or a few that are still to come. */
static int64_t some_person(int64_t event, uint64_t *state) {
    int64_t people = last_person(event) + 1, active = people < 1000 ? people : 1000;
    return people - active + draw_below(state, (uint32_t)active + 10);
}

static int64_t some_auction(int64_t event, uint64_t *state) {
    int64_t last = last_auction(event), oldest = last > 100 ? last - 100 : 0;
    return oldest + draw_below(state, (uint32_t)(last - oldest) + 11);
}

/* -- Records ----------------------------------------------------------------------------------- */

static const char *const first_names[] = {"Peter", "Paul",  "Luke",   "John",   "Saul", "Vicky",
                                          "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
static const char *const last_names[] = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                         "Walton", "Smith",  "Jones",   "Noris"};
static const char *const cities[] = {"Phoenix", "Los Angeles", "San Francisco", "Boise",
                                     "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"};
static const char *const states[] = {"AZ", "CA", "ID", "OR", "WA", "WY"};

static Bytes draw_card(uint64_t *state, Arena *arena) {
    uint32_t parts[4];
    for (int i = 0; i < 4; i++)
        parts[i] = draw_below(state, 10000);
    return bytes_of(arena_printf(arena, "%04u %04u %04u %04u", parts[0], parts[1], parts[2],
                                 parts[3]));
}

static void person(const Nexmark *nexmark, int64_t event, uint64_t *state, Arena *arena,
                   NexmarkValue *values) {
    const char *first = first_names[draw_below(state, 11)];
    const char *last = last_names[draw_below(state, 9)];
    Bytes name = bytes_of(arena_printf(arena, "%s %s", first, last));
    Bytes user = draw_words(state, 7, ' ', arena), host = draw_words(state, 5, ' ', arena);
    Bytes email = bytes_of(arena_printf(arena, "%.*s@%.*s.com", (int)user.size,
                                        (const char *)user.data, (int)host.size,
                                        (const char *)host.data));
    Bytes card = draw_card(state, arena);
    Bytes city = bytes_of(cities[draw_below(state, 10)]);
    Bytes region = bytes_of(states[draw_below(state, 6)]);
    uint32_t present = 8 + name.size + email.size + card.size + city.size + region.size;
    values[0].number = FIRST_ID + last_person(event);
    values[1].text = name;
    values[2].text = email;
    values[3].text = card;
    values[4].text = city;
    values[5].text = region;
    values[6].number = generator_time(nexmark->datagen, event);
    values[7].text = draw_extra(nexmark, state, present, 200, arena);
}

static void auction(const Nexmark *nexmark, int64_t event, uint64_t *state, Arena *arena,
                    NexmarkValue *values) {
    Bytes item = draw_words(state, 20, ' ', arena), about = draw_words(state, 100, ' ', arena);
    int64_t bid = draw_price(state), reserve = bid + draw_price(state);
    int64_t now = generator_time(nexmark->datagen, event);
    int64_t span = 2 * (generator_time(nexmark->datagen, event + AUCTION_EVENTS) - now);
    int64_t expires = now + 1 + draw_below(state, span > 1 ? (uint32_t)span : 1);
    int64_t hot = last_person(event) / 100 * 100;
    int64_t seller = draw_below(state, 4) > 0 ? hot : some_person(event, state);
    values[0].number = FIRST_ID + last_auction(event);
    values[1].text = item;
    values[2].text = about;
    values[3].number = bid;
    values[4].number = reserve;
    values[5].number = now;
    values[6].number = expires;
    values[7].number = FIRST_ID + seller;
    values[8].number = 10 + draw_below(state, 5);
    values[9].text = draw_extra(nexmark, state, 8 + item.size + about.size + 40, 500, arena);
}

static void bid(const Nexmark *nexmark, int64_t event, uint64_t *state, Arena *arena,
                NexmarkValue *values) {
    int64_t hot_auction = last_auction(event) / 100 * 100;
    int64_t hot_bidder = last_person(event) / 100 * 100 + 1;
    int64_t on = draw_below(state, 2) > 0 ? hot_auction : some_auction(event, state);
    int64_t bidder = draw_below(state, 4) > 0 ? hot_bidder : some_person(event, state);
    int64_t price = draw_price(state);
    uint32_t channel = draw_below(state, 2) > 0
                           ? draw_below(state, CHANNELS_HOT)
                           : CHANNELS_HOT + draw_below(state, CHANNELS - CHANNELS_HOT);
    values[0].number = FIRST_ID + on;
    values[1].number = FIRST_ID + bidder;
    values[2].number = price;
    values[3].text = nexmark->channels[channel];
    values[4].text = nexmark->urls[channel];
    values[5].number = generator_time(nexmark->datagen, event);
    values[6].text = draw_extra(nexmark, state, 32, 100, arena);
}

/* -- Channels ---------------------------------------------------------------------------------- */

static uint32_t reversed(uint32_t bits) {
    uint32_t result = 0;
    for (int i = 0; i < 32; i++)
        result |= (bits >> i & 1) << (31 - i);
    return result;
}

static Bytes draw_url(uint64_t *state, Arena *arena) {
    Bytes folder[3];
    for (int i = 0; i < 3; i++)
        folder[i] = draw_words(state, 5, '_', arena);
    return bytes_of(arena_printf(arena, "https://www.nexmark.com/%.*s/%.*s/%.*s/item.htm?query=1",
                                 (int)folder[0].size, (const char *)folder[0].data,
                                 (int)folder[1].size, (const char *)folder[1].data,
                                 (int)folder[2].size, (const char *)folder[2].data));
}

static void make_channels(Nexmark *nexmark, uint64_t state, Arena *arena) {
    static const char *const hot[] = {"Google", "Facebook", "Baidu", "Apple"};
    nexmark->channels = arena_array(arena, CHANNELS, sizeof(Bytes));
    nexmark->urls = arena_array(arena, CHANNELS, sizeof(Bytes));
    for (uint32_t i = 0; i < CHANNELS; i++) {
        nexmark->urls[i] = draw_url(&state, arena);
        if (i < CHANNELS_HOT) {
            nexmark->channels[i] = bytes_of(hot[i]);
            continue;
        }
        uint32_t number = i - CHANNELS_HOT;
        nexmark->channels[i] = bytes_of(arena_printf(arena, "channel-%u", number));
        if (draw_below(&state, 10) == 0)
            continue;
        int64_t id = (int32_t)reversed(number);
        nexmark->urls[i] =
            bytes_of(arena_printf(arena, "%s&channel_id=%lld", (const char *)nexmark->urls[i].data,
                                  (long long)(id < 0 ? -id : id)));
    }
}

Nexmark *nexmark_new(Arena *arena, const Datagen *datagen) {
    static const char *const kinds[] = {"nexmark_person", "nexmark_auction", "nexmark_bid"};
    uint32_t kind = 0;
    while (kind < 3 && !(datagen->kind && strcmp(datagen->kind, kinds[kind]) == 0))
        kind++;
    if (kind == 3)
        return NULL;
    Nexmark *nexmark = arena_alloc(arena, sizeof *nexmark);
    nexmark->kind = (NexmarkKind)kind;
    nexmark->datagen = datagen;
    nexmark->filler = chance_mix((uint64_t)datagen->seed ^ 0x6e65786d61726b00U);
    if (nexmark->kind == NEXMARK_BID)
        make_channels(nexmark, nexmark->filler + FILLER_BYTES * draw_step, arena);
    return nexmark;
}

int64_t nexmark_event(const Nexmark *nexmark, int64_t row) {
    switch (nexmark->kind) {
    case NEXMARK_PERSON:
        return row * EVENTS_OF_50;
    case NEXMARK_AUCTION:
        return row / 3 * EVENTS_OF_50 + 1 + row % 3;
    case NEXMARK_BID:
        break;
    }
    return row / 46 * EVENTS_OF_50 + 4 + row % 46;
}

void nexmark_row(const Nexmark *nexmark, int64_t row, Arena *arena, NexmarkValue *values) {
    int64_t event = nexmark_event(nexmark, row);
    uint64_t seed = (uint64_t)nexmark->datagen->seed * 0x2545f4914f6cdd1dU;
    uint64_t state = chance_mix(seed + (uint64_t)event);
    switch (nexmark->kind) {
    case NEXMARK_PERSON:
        person(nexmark, event, &state, arena, values);
        break;
    case NEXMARK_AUCTION:
        auction(nexmark, event, &state, arena, values);
        break;
    case NEXMARK_BID:
        bid(nexmark, event, &state, arena, values);
        break;
    }
}
