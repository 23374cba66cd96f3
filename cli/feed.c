/* feed.c - see feed.h. */
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

/* Whether the next statement ends in front of `end`, which is behind a ';'. */
static bool feed_ends_at(Feed *feed, size_t end) {
    char open, *text = (char *)feed->text.data;
    char behind = text[end];
    text[end] = '\0';
    bool complete = weir_is_complete(text + feed->script.next, &open);
    text[end] = behind;
    return complete;
}

bool feed_next(Feed *feed) {
    buf_cstr(&feed->text);
    if (feed->scanned < feed->script.next)
        feed->scanned = feed->script.next;
    const uint8_t *data = feed->text.data, *found;
    while ((found = memchr(data + feed->scanned, ';', feed->text.size - feed->scanned)) != NULL) {
        feed->scanned = (size_t)(found - data) + 1;
        if (!feed_ends_at(feed, feed->scanned))
            continue;
        feed_give(feed, feed->scanned);
        return true;
    }
    feed->scanned = feed->text.size;
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
    feed->script = (WeirScript){0};
}

void feed_close(Feed *feed) {
    buf_free(&feed->text);
}
