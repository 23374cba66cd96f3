/*
 * feed.c - see feed.h.
 *
 * The text is looked at once, byte by byte: a ';' outside of quotes and comments ends a statement.
 * What is open at the end of a piece is remembered. A quote that is written twice inside quotes
 * closes and opens them again, which comes to the same.
 */
#include "cli/feed.h"

#include <assert.h>

/* What was executed goes, but for the line that the next statement begins on: error pictures show
 * it. */
static void feed_drop(Feed *feed) {
    size_t from = feed->script.next;
    while (from > 0 && feed->text.data[from - 1] != '\n')
        from--;
    if (from == 0)
        return;
    memmove(feed->text.data, feed->text.data + from, feed->text.size - from);
    feed->text.size -= from;
    feed->script.next -= from;
    feed->scanned -= from;
}

void feed_add(Feed *feed, const void *bytes, size_t size) {
    assert(feed->script.next <= feed->text.size && feed->scanned <= feed->text.size);
    feed_drop(feed);
    buf_put(&feed->text, bytes, size);
}

static void feed_give(Feed *feed, size_t end) {
    feed->script.sql = (const char *)feed->text.data;
    feed->script.size = end;
    feed->scanned = end;
}

/* Inside quotes or a comment: to what closes it, or as far as there is text. */
static void feed_skip(Feed *feed) {
    const uint8_t *from = feed->text.data + feed->scanned;
    size_t left = feed->text.size - feed->scanned;
    const uint8_t *close;
    if (feed->open == '*')
        close = memmem(from, left, "*/", 2);
    else
        close = memchr(from, feed->open == '-' ? '\n' : feed->open, left);
    if (close) {
        feed->scanned = (size_t)(close - feed->text.data) + (feed->open == '*' ? 2 : 1);
        feed->open = '\0';
    } else {
        bool half = feed->open == '*' && left > 0 && from[left - 1] == '*';
        feed->scanned = feed->text.size - half;
    }
}

/* Outside of both: takes one character, or the two that open a comment. false: the second has not
 * come yet. */
static bool feed_step(Feed *feed) {
    const uint8_t *at = feed->text.data + feed->scanned;
    bool last = feed->scanned + 1 == feed->text.size;
    if (*at == '\'' || *at == '"' || *at == '`')
        feed->open = (char)*at;
    if (*at != '-' && *at != '/') {
        feed->scanned++;
        return true;
    }
    if (last)
        return false;
    if (*at == '-' && at[1] == '-')
        feed->open = '-';
    else if (*at == '/' && at[1] == '*')
        feed->open = '*';
    feed->scanned += feed->open ? 2 : 1;
    return true;
}

bool feed_next(Feed *feed) {
    buf_cstr(&feed->text);
    if (feed->scanned < feed->script.next)
        feed->scanned = feed->script.next;
    while (feed->scanned < feed->text.size) {
        if (feed->open) {
            size_t before = feed->scanned;
            feed_skip(feed);
            if (feed->open && feed->scanned == before)
                return false;
        } else if (feed->text.data[feed->scanned] == ';') {
            feed_give(feed, feed->scanned + 1);
            return true;
        } else if (!feed_step(feed)) {
            return false;
        }
    }
    return false;
}

void feed_rest(Feed *feed) {
    buf_cstr(&feed->text);
    feed_give(feed, feed->text.size);
}

const char *feed_pending(Feed *feed) {
    return buf_cstr(&feed->text) + feed->script.next;
}

/* Behind a comment that begins at `text`; NULL where none does, or where it is still open. */
static const char *feed_comment_end(const char *text) {
    const char *end = NULL;
    if (text[0] == '-' && text[1] == '-')
        end = strchr(text, '\n');
    else if (text[0] == '/' && text[1] == '*' && (end = strstr(text + 2, "*/")) != NULL)
        end += 2;
    return end;
}

bool feed_is_blank(Feed *feed) {
    const char *text = feed_pending(feed);
    for (const char *end = text; end; end = feed_comment_end(text))
        text = end + strspn(end, " \t\r\n");
    return *text == '\0';
}

void feed_reset(Feed *feed) {
    buf_reset(&feed->text);
    feed->scanned = 0;
    feed->open = '\0';
    feed->script = (WeirScript){0};
}

void feed_close(Feed *feed) {
    buf_free(&feed->text);
}
