/*
 * url_parse.c - see url_impl.h.
 *
 *   uri          := [scheme ':'] (opaque | hierarchical) ['#' fragment]
 *   hierarchical := ['//' authority] path ['?' query]
 *   authority    := [userinfo '@'] host [':' port] | any registry's name
 *
 * An authority that is no server (a name with an underscore) is one of a registry: the URI is
 * good, but has no host.
 */
#include "base/utf8.h"
#include "udf/url_impl.h"

enum {
    URL_DIGIT = 1,
    URL_LETTER = 2,
    URL_MARK = 4,      /* _-!.~'()* */
    URL_RESERVED = 8,  /* ;/?:@&=+$,[] */
    URL_PATH = 16,     /* of the reserved ones and / */
    URL_USER = 32,
    URL_REGISTRY = 64,
    URL_SERVER = 128,
    URL_PLAIN = URL_DIGIT | URL_LETTER | URL_MARK,
};

static uint32_t url_class(uint8_t byte) {
    uint8_t letter = byte | 0x20;
    if (byte >= '0' && byte <= '9')
        return URL_DIGIT;
    if (letter >= 'a' && letter <= 'z')
        return URL_LETTER;
    switch (byte) {
    case '_': case '-': case '!': case '.': case '~': case '\'': case '(': case ')': case '*':
        return URL_MARK;
    case ';': case ':': case '&': case '=': case '+': case '$': case ',':
        return URL_RESERVED | URL_PATH | URL_USER | URL_REGISTRY | URL_SERVER;
    case '@': return URL_RESERVED | URL_PATH | URL_REGISTRY | URL_SERVER;
    case '/': return URL_RESERVED | URL_PATH;
    case '[': case ']': return URL_RESERVED | URL_SERVER;
    case '?': return URL_RESERVED;
    default: return 0;
    }
}

/* What is left of a text; parts are taken off its front. */
static uint32_t url_find(Bytes text, const char *stops) {
    uint32_t at = 0;
    while (at < text.size && !(text.data[at] && strchr(stops, text.data[at])))
        at++;
    return at;
}

static Bytes url_take(Bytes *text, uint32_t size) {
    assert(size <= text->size);
    Bytes part = {text->data, size};
    text->data += size;
    text->size -= size;
    return part;
}

static bool url_at(Bytes text, uint8_t byte) {
    return text.size > 0 && text.data[0] == byte;
}

/* A character beyond ASCII that is neither a blank nor a control. */
static bool url_is_other(uint32_t character) {
    bool control = character < 0xA0;
    bool blank = character == 0xA0 || character == 0x1680 || character == 0x2028 ||
                 character == 0x2029 || character == 0x202F || character == 0x205F ||
                 character == 0x3000 || (character >= 0x2000 && character <= 0x200A);
    return !control && !blank;
}

/* How much of the text from its start on are characters of these classes, and %XX and others. */
static uint32_t url_span(Bytes text, uint32_t classes) {
    uint32_t at = 0;
    while (at < text.size) {
        uint8_t byte = text.data[at];
        uint32_t size = 1;
        if (byte == '%') {
            if (text.size - at < 3 || bytes_hex_digit(text.data[at + 1]) < 0 ||
                bytes_hex_digit(text.data[at + 2]) < 0)
                break;
            size = 3;
        } else if (byte >= 0x80) {
            if (!url_is_other(utf8_decode((Bytes){text.data + at, text.size - at}, &size)))
                break;
        } else if (!(url_class(byte) & classes)) {
            break;
        }
        at += size;
    }
    return at;
}

static bool url_all(Bytes text, uint32_t classes) {
    return url_span(text, classes) == text.size;
}

/* == Hosts == */

static uint32_t url_digits(Bytes text) {
    uint32_t at = 0;
    while (at < text.size && url_class(text.data[at]) == URL_DIGIT)
        at++;
    return at;
}

/* Four numbers up to 255 with points between; their size, 0: no such thing. */
static uint32_t url_ipv4(Bytes text) {
    Bytes rest = text;
    for (uint32_t part = 0; part < 4; part++) {
        uint32_t count = url_digits(rest), value = 0;
        if (part > 0) {
            if (!url_at(rest, '.'))
                return 0;
            url_take(&rest, 1);
            count = url_digits(rest);
        }
        for (uint32_t i = 0; i < count && value < 256; i++)
            value = value * 10 + (rest.data[i] - '0');
        if (count == 0 || value > 255)
            return 0;
        url_take(&rest, count);
    }
    return url_at(rest, '.') || (rest.size > 0 && url_digits(rest) > 0) ? 0
                                                                        : text.size - rest.size;
}

/* Labels of letters and digits, with dashes inside; the last of several begins with a letter. Its
 * size, 0: no such name. */
static uint32_t url_hostname(Bytes text) {
    Bytes rest = text;
    uint32_t labels = 0;
    uint8_t first = 0;
    while (rest.size > 0 && (url_class(rest.data[0]) & (URL_DIGIT | URL_LETTER))) {
        uint32_t size = 0;
        first = rest.data[0];
        while (size < rest.size && ((url_class(rest.data[size]) & (URL_DIGIT | URL_LETTER)) ||
                                    rest.data[size] == '-'))
            size++;
        if (rest.data[size - 1] == '-')
            return 0;
        url_take(&rest, size);
        labels++;
        if (!url_at(rest, '.'))
            break;
        url_take(&rest, 1);
    }
    if (labels == 0 || (rest.size > 0 && rest.data[0] != ':'))
        return 0;
    if (labels > 1 && url_class(first) != URL_LETTER)
        return 0;
    return text.size - rest.size;
}

/* Groups of up to four hexadecimal digits; *bytes counts what they stand for. Ends before what
 * does not belong; false: broken. */
static bool url_ipv6_groups(Bytes *text, uint32_t *bytes) {
    while (text->size > 0) {
        uint32_t size = 0;
        while (size < text->size && bytes_hex_digit(text->data[size]) >= 0)
            size++;
        if (size == 0 || size > 4 || (size < text->size && text->data[size] == '.')) {
            if (size == 0 || size > 4)
                return size == 0 && false;
            uint32_t ipv4 = url_ipv4(*text);
            if (ipv4 == 0 || ipv4 < text->size)
                return false;
            url_take(text, ipv4);
            *bytes += 4;
            return true;
        }
        url_take(text, size);
        *bytes += 2;
        if (!url_at(*text, ':') || (text->size > 1 && text->data[1] == ':'))
            return true;
        url_take(text, 1);
    }
    return false; /* a colon at the end */
}

/* Eight groups, or fewer with one "::" that stands for the others. */
static bool url_ipv6(Bytes text) {
    uint32_t bytes = 0;
    bool short_form = false;
    if (text.size < 2)
        return false;
    if (!url_at(text, ':') && !url_ipv6_groups(&text, &bytes))
        return false;
    if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
        short_form = true;
        url_take(&text, 2);
        if (text.size > 0 && !url_ipv6_groups(&text, &bytes))
            return false;
    }
    return text.size == 0 && (short_form ? bytes < 16 : bytes == 16);
}

/* [address] or [address%scope], taken off the text. */
static bool url_bracketed(Bytes *text, Bytes *host) {
    uint32_t end = url_find(*text, "]/?#");
    if (end == text->size || text->data[end] != ']')
        return false;
    Bytes address = {text->data + 1, end - 1};
    uint32_t percent = url_find(address, "%");
    for (uint32_t i = percent + 1; i < address.size; i++)
        if (!(url_class(address.data[i]) & (URL_DIGIT | URL_LETTER)) && address.data[i] != '_' &&
            address.data[i] != '.')
            return false;
    if (percent + 1 == address.size)
        return false;
    *host = url_take(text, end + 1);
    return url_ipv6((Bytes){address.data, percent});
}

static bool url_port(Bytes text, int32_t *port) {
    int64_t value = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        if (url_class(text.data[i]) != URL_DIGIT)
            return false;
        value = value * 10 + (text.data[i] - '0');
        if (value > INT32_MAX)
            return false;
    }
    if (text.size > 0)
        *port = (int32_t)value;
    return true;
}

static bool url_server(Bytes text, Url *url) {
    uint32_t at = url_find(text, "@");
    if (at < text.size) {
        if (!url_all((Bytes){text.data, at}, URL_PLAIN | URL_USER))
            return false;
        url_take(&text, at + 1);
    }
    if (url_at(text, '[')) {
        if (!url_bracketed(&text, &url->host))
            return false;
    } else {
        uint32_t size = url_ipv4(text);
        if (size == 0 || (size < text.size && text.data[size] != ':'))
            size = url_hostname(text);
        if (size == 0)
            return false;
        url->host = url_take(&text, size);
    }
    if (!url_at(text, ':'))
        return text.size == 0;
    url_take(&text, 1);
    return url_port(text, &url->port);
}

static bool url_authority(Bytes text, Url *url) {
    Url none = *url;
    bool brackets = url_find(text, "]") < text.size;
    bool server = brackets ? true : url_all(text, URL_PLAIN | URL_SERVER);
    bool registry = url_all(text, URL_PLAIN | URL_REGISTRY);
    for (uint32_t i = 0; brackets && i < text.size; i++)
        server &= text.data[i] == '%' || text.data[i] >= 0x80 ||
                  (url_class(text.data[i]) & (URL_PLAIN | URL_SERVER));
    if (server && url_server(text, url))
        return true;
    *url = none;
    return registry;
}

/* == The whole == */

static bool url_hierarchical(Bytes text, Url *url) {
    if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        url_take(&text, 2);
        uint32_t size = url_find(text, "/?");
        Bytes authority = url_take(&text, size);
        if (size > 0 && !url_authority(authority, url))
            return false;
    }
    url->path = url_take(&text, url_find(text, "?"));
    if (!url_all(url->path, URL_PLAIN | URL_PATH))
        return false;
    if (text.size == 0)
        return true;
    url_take(&text, 1);
    url->query = text;
    return url_all(text, URL_PLAIN | URL_RESERVED);
}

/* Takes a scheme off the text, if one stands there. */
static bool url_scheme(Bytes *text, Url *url) {
    uint32_t size = url_find(*text, ":/?");
    if (size == text->size || text->data[size] != ':')
        return true;
    if (size == 0 || url_class(text->data[0]) != URL_LETTER)
        return false;
    for (uint32_t i = 1; i < size; i++) {
        uint8_t byte = text->data[i];
        if (!(url_class(byte) & (URL_LETTER | URL_DIGIT)) && byte != '+' && byte != '-' &&
            byte != '.')
            return false;
    }
    url->scheme = url_take(text, size);
    url_take(text, 1);
    return true;
}

bool url_parse(Bytes text, Url *url) {
    *url = (Url){.port = -1};
    if (!text.data)
        return false;
    uint32_t hash = url_find(text, "#");
    bool fragment = hash < text.size;
    if (fragment) {
        url->fragment = (Bytes){text.data + hash + 1, text.size - hash - 1};
        if (!url_all(url->fragment, URL_PLAIN | URL_RESERVED))
            return false;
    }
    Bytes rest = {text.data, hash};
    if (!url_scheme(&rest, url))
        return false;
    if (url->scheme.data && !url_at(rest, '/')) /* opaque: there are no further parts */
        return rest.size > 0 && url_all(rest, URL_PLAIN | URL_RESERVED);
    if (rest.size == 2 && !fragment && rest.data[0] == '/' && rest.data[1] == '/')
        return false; /* neither an authority nor anything behind it */
    return url_hierarchical(rest, url);
}
