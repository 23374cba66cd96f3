/*
 * oracle_time.c - dates and times by patterns, line by line, for comparison with other programs.
 *
 * Standard input, fields between tabs:              standard output, one line each
 *   print      PATTERN  ZONE  MS                      the text
 *   printdate  PATTERN  -     DAYS                    the text
 *   printtime  PATTERN  -     MS                      the text
 *   read       PATTERN  ZONE  TEXT                    milliseconds since 1970
 *   readdate   PATTERN  -     TEXT                    days since 1970
 *   readtime   PATTERN  -     TEXT                    milliseconds since midnight
 *   lenient    PATTERN  -     TEXT                    days since 1970, as PARSE_DATE reads it
 *   offset     -        ZONE  SECONDS                 seconds east of UTC
 * A line that fails gives "!" and a blank, then the reason.
 */
#include <stdio.h>
#include <stdlib.h>

#include "data/time_lenient.h"
#include "data/time_pattern.h"

typedef struct Line {
    const char *verb, *pattern, *zone, *value;
} Line;

typedef struct Prober {
    Arena *arena;
    const TimePattern *pattern; /* of pattern_text */
    Zone zone;                  /* of zone_text */
    char pattern_text[1024], zone_text[1024];
    Buf out;
} Prober;

static bool prepare(Prober *prober, const Line *line) {
    Err err;
    if (!prober->pattern || strcmp(prober->pattern_text, line->pattern) != 0) {
        prober->pattern = NULL;
        arena_reset(prober->arena);
        if (time_pattern_new(bytes_of(line->pattern), prober->arena, &prober->pattern, &err) !=
            ERR_OK) {
            buf_printf(&prober->out, "! %s", err.message);
            prober->pattern = NULL;
            return false;
        }
        snprintf(prober->pattern_text, sizeof prober->pattern_text, "%s", line->pattern);
    }
    if (strcmp(line->zone, "-") != 0 && strcmp(prober->zone_text, line->zone) != 0) {
        prober->zone_text[0] = '\0';
        if (zone_of(bytes_of(line->zone), &prober->zone, &err) != ERR_OK) {
            buf_printf(&prober->out, "! %s", err.message);
            return false;
        }
        snprintf(prober->zone_text, sizeof prober->zone_text, "%s", line->zone);
    }
    return true;
}

static bool print(Prober *prober, const Line *line, const char **reason) {
    int64_t value = strtoll(line->value, NULL, 10);
    if (strcmp(line->verb, "print") == 0)
        return time_pattern_print(&prober->out, prober->pattern, &prober->zone, value, reason);
    if (strcmp(line->verb, "printdate") == 0)
        return time_pattern_print_date(&prober->out, prober->pattern, (int32_t)value, reason);
    return time_pattern_print_time(&prober->out, prober->pattern, (int32_t)value, reason);
}

static bool read_text(Prober *prober, const Line *line, const char **reason) {
    Bytes text = bytes_of(line->value);
    int64_t ms = 0;
    int32_t small = 0;
    bool wide = strcmp(line->verb, "read") == 0;
    bool ok = wide ? time_pattern_timestamp(prober->pattern, text, &prober->zone, &ms, reason)
              : strcmp(line->verb, "readdate") == 0
                  ? time_pattern_date(prober->pattern, text, &small, reason)
                  : time_pattern_time(prober->pattern, text, &small, reason);
    if (ok)
        buf_printf(&prober->out, "%lld", (long long)(wide ? ms : small));
    return ok;
}

/* As of 2026. */
static void probe_lenient(Prober *prober, const Line *line) {
    const TimeLenient *pattern;
    const char *reason;
    int32_t days;
    Err err;
    prober->pattern = NULL;
    arena_reset(prober->arena);
    if (time_lenient_new(bytes_of(line->pattern), prober->arena, &pattern, &err) != ERR_OK)
        buf_printf(&prober->out, "! %s", err.message);
    else if (!time_lenient_date(pattern, bytes_of(line->value), 2026, &days, &reason))
        buf_printf(&prober->out, "! %s", reason);
    else
        buf_printf(&prober->out, "%d", days);
}

static void probe(Prober *prober, const Line *line) {
    const char *reason = "";
    bool ok = true;
    buf_reset(&prober->out);
    if (strcmp(line->verb, "lenient") == 0) {
        probe_lenient(prober, line);
        return;
    }
    if (!prepare(prober, line))
        return;
    if (strcmp(line->verb, "offset") == 0)
        buf_printf(&prober->out, "%d", zone_offset(&prober->zone, strtoll(line->value, NULL, 10)));
    else if (strncmp(line->verb, "print", 5) == 0)
        ok = print(prober, line, &reason);
    else
        ok = read_text(prober, line, &reason);
    if (!ok)
        buf_printf(&prober->out, "! %s", reason);
}

int main(void) {
    static char text[4096];
    Prober prober = {.arena = arena_new("probe", 0)};
    while (fgets(text, sizeof text, stdin)) {
        char *fields[4] = {text, NULL, NULL, NULL};
        text[strcspn(text, "\n")] = '\0';
        for (int i = 1; i < 4; i++) {
            char *tab = strchr(fields[i - 1], '\t');
            if (!tab) {
                fprintf(stderr, "four fields wanted: %s\n", text);
                return 1;
            }
            *tab = '\0';
            fields[i] = tab + 1;
        }
        probe(&prober, &(Line){fields[0], fields[1], fields[2], fields[3]});
        puts(buf_cstr(&prober.out));
    }
    buf_free(&prober.out);
    arena_free(prober.arena);
    return 0;
}
