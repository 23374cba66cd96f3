/*
 * parse_error.c - what a syntax error says.
 *
 * The tokens are fed once more, into a Probe: the bare states of the tables, which can be asked
 * at any token what else they would have taken. That answers three questions: what was expected,
 * whether a word that is near to an expected one was meant, and whether the word before the one
 * that failed was the wrong one (SELECT id FORM s: FORM is an alias, and only s is refused).
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "grammar/parse_impl.h"
#include "grammar/sql_grammar.h"

enum {
    LINE_BEFORE_MAX = 60, /* characters shown in front of the caret */
    LINE_AFTER_MAX = 36,
    EXPECTED_MAX = 10, /* more are no help */
    TOKEN_SHOWN_MAX = 60,
};

static bool is_inside_character(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

/* Text of the script with what a terminal must not see blanked out. */
static void show_bytes(Buf *out, Bytes text) {
    for (uint32_t at = 0, size; at < text.size; at += size) {
        Bytes left = {text.data + at, text.size - at};
        uint32_t character = utf8_decode(left, &size);
        bool broken = character == 0xFFFD && size == 1;
        if (character < 0x20 || character == 0x7F)
            buf_u8(out, ' ');
        else if (broken || (character >= 0x80 && character < 0xA0))
            buf_u8(out, '?');
        else
            buf_put(out, left.data, size);
    }
}

/* How wide show_bytes() writes it on a terminal. */
static uint32_t show_width(Bytes text) {
    uint32_t width = 0;
    for (uint32_t at = 0, size; at < text.size; at += size) {
        uint32_t character = utf8_decode((Bytes){text.data + at, text.size - at}, &size);
        bool blanked = character < 0x20 || (character >= 0x7F && character < 0xA0);
        width += blanked ? 1 : utf8_width(character);
    }
    return width;
}

static void show_line(Buf *out, Bytes script, AstPos pos) {
    uint32_t from = pos.offset;
    uint32_t before = 0;
    while (from > 0 && script.data[from - 1] != '\n' && before < LINE_BEFORE_MAX &&
           pos.offset - from < LINE_BEFORE_MAX * 4)
        before += !is_inside_character(script.data[--from]);
    uint32_t to = pos.offset;
    assert(from <= pos.offset && before <= LINE_BEFORE_MAX);
    uint32_t after = 0;
    for (; to < script.size && script.data[to] != '\n'; to++) {
        after += !is_inside_character(script.data[to]);
        if (after > LINE_AFTER_MAX || to - pos.offset > LINE_AFTER_MAX * 4)
            break;
    }
    bool cut = from > 0 && script.data[from - 1] != '\n';
    buf_text(out, cut ? "\n  ..." : "\n  ");
    show_bytes(out, (Bytes){script.data + from, to - from});
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->size--;
    uint32_t width = show_width((Bytes){script.data + from, pos.offset - from});
    buf_printf(out, "\n  %*s^", (int)(width + (cut ? 3 : 0)), "");
}

ErrCode parse_error_at(Bytes script, AstPos pos, ErrCode code, const char *text, Err *err) {
    assert(pos.offset <= script.size);
    Buf out = {0};
    show_line(&out, script, pos);
    code = err_set_at(err, code, pos.line, pos.column, "line %u:%u: %s%s", pos.line, pos.column,
                      text, buf_cstr(&out));
    buf_free(&out);
    return code;
}

/* -- What was expected ------------------------------------------------------------------------ */

enum { TOKEN_COUNT_MAX = 256 };

typedef struct Expected {
    bool tokens[TOKEN_COUNT_MAX];
    bool extensions;
} Expected;

static bool expected_offers(const Expected *expected, const Keyword *keyword) {
    return keyword->class != KEYWORD_EXTENSION || expected->extensions;
}

/* The tokens that the tables would take, each as itself. */
static void expected_fill(Expected *expected, const Probe *probe) {
    Probe trial = {0};
    int count = sql_token_count();
    assert(count <= TOKEN_COUNT_MAX);
    for (int kind = 1; kind < count; kind++) {
        const Keyword *keyword = keyword_of_token(kind);
        probe_assign(&trial, probe);
        expected->tokens[kind] = (!keyword || expected_offers(expected, keyword)) &&
                                 probe_feed(&trial, kind, false);
    }
    probe_free(&trial);
}

/* If all of the tokens are expected, one word stands for them. */
typedef struct TokenGroup {
    const char *text; /* NULL: not worth a word */
    int marks[3];     /* the group is there when these are */
    int members[26];
} TokenGroup;

/* What may follow a value; "(" and a string follow names only: f(x), DECIMAL '1'. */
#define OPERATORS                                                                              \
    TK_CONCAT, TK_EQ, TK_NE, TK_LT, TK_LE, TK_GT, TK_GE, TK_PLUS, TK_MINUS, TK_STAR, TK_SLASH, \
        TK_PERCENT, TK_AT, TK_IS, TK_NOT, TK_BETWEEN, TK_IN, TK_LIKE, TK_DEREF, TK_LB, TK_DOT, \
        TK_AND, TK_OR, TK_LP, TK_STRING

static const TokenGroup token_groups[] = {
    {"an expression",
     {TK_CAST},
     {TK_CAST, TK_NULL, TK_TRUE, TK_FALSE, TK_STRING, TK_INTEGER, TK_DECIMAL, TK_DOUBLE, TK_NAME,
      TK_VARIABLE, TK_DECIMAL_TYPE, TK_LP, TK_CASE, TK_ARRAY_OF, TK_MAP_OF, TK_STRUCT_OF, TK_MINUS,
      TK_PLUS, TK_NOT, TK_UNITS}},
    {"a type",
     {TK_MAP, TK_STRUCT},
     {TK_NAME, TK_VARIABLE, TK_DECIMAL_TYPE, TK_ARRAY, TK_MAP, TK_STRUCT}},
    {NULL, {TK_CONCAT, TK_FROM}, {OPERATORS}},
    {"an operator", {TK_CONCAT}, {OPERATORS}},
    {NULL, {TK_JOIN, TK_INNER}, {TK_INNER, TK_LEFT, TK_RIGHT, TK_FULL}},
    {"a literal",
     {TK_TRUE},
     {TK_TRUE, TK_FALSE, TK_NULL, TK_STRING, TK_INTEGER, TK_DECIMAL, TK_DOUBLE, TK_MINUS,
      TK_VARIABLE}},
    {"a number", {TK_INTEGER, TK_DECIMAL}, {TK_INTEGER, TK_DECIMAL, TK_DOUBLE, TK_MINUS}},
    {"a time unit (SECONDS, MINUTES, HOURS, DAYS, ...)", {TK_UNIT}, {TK_UNIT, TK_UNITS}},
    {"a name", {TK_NAME}, {TK_NAME, TK_VARIABLE}},
    {"a name", {TK_WORD}, {TK_WORD}},
    {"a string", {TK_STRING}, {TK_STRING}},
    {"a whole number", {TK_INTEGER}, {TK_INTEGER}},
};

static bool group_is_there(const TokenGroup *group, const bool *tokens) {
    for (int i = 0; i < 3 && group->marks[i] != 0; i++)
        if (!tokens[group->marks[i]])
            return false;
    return true;
}

static const char *punctuation_text(int kind) {
    static const struct {
        int kind;
        const char *text;
    } marks[] = {
        {TK_COMMA, "','"}, {TK_SEMI, "';'"},   {TK_LP, "'('"},      {TK_RP, "')'"},
        {TK_LB, "'['"},    {TK_RB, "']'"},     {TK_LT, "'<'"},      {TK_GT, "'>'"},
        {TK_EQ, "'='"},    {TK_ASSIGN, "':='"}, {TK_ARROW, "'=>'"}, {TK_DEREF, "'->'"},
        {TK_STAR, "'*'"},  {TK_DOT, "'.'"},    {TK_END, "the end"}, {TK_NE, "'<>'"},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (marks[i].kind == kind)
            return marks[i].text;
    return NULL;
}

/* "FROM, ',' or AS": `texts` is filled, the count is returned. */
static uint32_t expected_texts(const Expected *expected, const char **texts, uint32_t max) {
    Expected left = *expected;
    const char *words[8];
    uint32_t word_count = 0;
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof token_groups / sizeof token_groups[0]; i++) {
        const TokenGroup *group = &token_groups[i];
        if (!group_is_there(group, left.tokens))
            continue;
        for (int j = 0; j < 26 && group->members[j] != 0; j++)
            left.tokens[group->members[j]] = false;
        if (group->text && word_count < 8)
            words[word_count++] = group->text;
    }
    for (int kind = 1; kind < sql_token_count() && count < max; kind++) {
        const Keyword *keyword = left.tokens[kind] ? keyword_of_token(kind) : NULL;
        const char *text = !left.tokens[kind] ? NULL
                           : keyword          ? keyword->text
                                              : punctuation_text(kind);
        if (text)
            texts[count++] = text;
    }
    for (uint32_t i = 0; i < word_count && count < max; i++)
        texts[count++] = words[i];
    return count;
}

/* The expected word that is nearest to what was written, or NULL. */
static const Keyword *expected_near(const Expected *expected, Bytes word) {
    const char *names[256];
    uint32_t count = 0;
    char text[32]; /* no keyword is half as long */
    if (word.size >= sizeof text)
        return NULL;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    uint32_t total;
    const Keyword *keywords = keyword_all(&total);
    for (uint32_t i = 0; i < total && count < 256; i++)
        if (keywords[i].token != TK_NAME && expected->tokens[keywords[i].token] &&
            expected_offers(expected, &keywords[i]))
            names[count++] = keywords[i].text;
    const char *nearest = parse_nearest(text, names, count);
    return nearest ? keyword_find(bytes_of(nearest)) : NULL;
}

/* -- The second look -------------------------------------------------------------------------- */

typedef struct Diagnosis {
    const SyntaxError *error;
    Token previous;
    Token token;  /* the one to blame */
    Lexer after;  /* behind the token that was refused */
    Probe before; /* the token that was refused */
    Probe before_previous;
    Expected expected; /* where the token to blame stands */
    const Keyword *meant;
    bool at_start;
} Diagnosis;

/* Takes the tables to where the token was refused. */
static void diagnosis_run(Diagnosis *diagnosis) {
    const SyntaxError *error = diagnosis->error;
    Lexer lexer = error->start;
    Token token;
    Err err;
    probe_start(&diagnosis->before, error->start_token);
    for (uint32_t i = 0; i < error->token_index; i++) {
        ErrCode code = lexer_next(&lexer, &token, &err);
        assert(code == ERR_OK);
        (void)code;
        if (i + 1 == error->token_index)
            probe_assign(&diagnosis->before_previous, &diagnosis->before);
        bool taken = probe_feed(&diagnosis->before, token.kind, true);
        assert(taken);
        (void)taken;
        diagnosis->previous = token;
    }
    diagnosis->token = error->token;
    if (error->token.kind == 0)
        diagnosis->token.pos = lexer.pos; /* behind the last word, not behind blank lines */
    diagnosis->after = lexer;
    if (lexer_next(&diagnosis->after, &token, &err) != ERR_OK)
        diagnosis->after = lexer;
}

/* The word before may be a misspelled keyword that passed for a name: then it is to blame, if
 * with that keyword in its place the refused token fits. */
static void diagnosis_blame(Diagnosis *diagnosis) {
    if (diagnosis->error->token_index == 0 || diagnosis->previous.kind != TK_NAME ||
        !token_is_word(diagnosis->previous) || diagnosis->token.kind == 0)
        return;
    Expected expected = {.extensions = diagnosis->error->start.extensions};
    expected_fill(&expected, &diagnosis->before_previous);
    const Keyword *keyword = expected_near(&expected, diagnosis->previous.bytes);
    if (!keyword)
        return;
    Probe trial = {0};
    probe_assign(&trial, &diagnosis->before_previous);
    if (probe_feed(&trial, keyword->token, false) &&
        probe_feed(&trial, diagnosis->token.kind, true)) {
        diagnosis->token = diagnosis->previous;
        diagnosis->expected = expected;
        diagnosis->expected.tokens[TK_NAME] = false;
        diagnosis->expected.tokens[TK_VARIABLE] = false;
        diagnosis->meant = keyword;
        diagnosis->at_start = diagnosis->error->token_index == 1;
    }
    probe_free(&trial);
}

/* A reserved word where with a name in its place the rest would be right. */
static bool diagnosis_is_reserved(const Diagnosis *diagnosis) {
    const SyntaxError *error = diagnosis->error;
    const Keyword *keyword = keyword_find(diagnosis->token.bytes);
    if (diagnosis->meant || !token_is_word(diagnosis->token) || !keyword ||
        keyword->class != KEYWORD_RESERVED ||
        (keyword->token == TK_FROM && diagnosis->expected.tokens[TK_CAST]) || /* SELECT a, FROM */
        diagnosis->expected.tokens[TK_MAP]) /* a type: CAST(a AS NULL) */
        return false;
    Probe trial = {0};
    probe_assign(&trial, &diagnosis->before);
    bool fits = probe_feed(&trial, TK_NAME, false);
    bool only_name = fits && !diagnosis->expected.tokens[TK_CAST];
    Lexer lexer = diagnosis->after;
    while (fits && !only_name) {
        Token token;
        Err err;
        if (lexer_next(&lexer, &token, &err) != ERR_OK)
            fits = false;
        if (token.kind == 0 || token.kind == error->end_token)
            break;
        fits = fits && probe_feed(&trial, token.kind, true);
    }
    fits = fits && (only_name || probe_feed(&trial, error->end_token, false));
    probe_free(&trial);
    return fits;
}

static void say_expected(Buf *out, const Diagnosis *diagnosis) {
    const char *texts[EXPECTED_MAX + 1];
    uint32_t count = expected_texts(&diagnosis->expected, texts, EXPECTED_MAX + 1);
    bool more = count > EXPECTED_MAX;
    if (count == 0 || diagnosis->at_start)
        return;
    if (more)
        count = EXPECTED_MAX;
    buf_text(out, "\n  Expecting ");
    for (uint32_t i = 0; i < count; i++) {
        const char *gap = i == 0 ? "" : i + 1 < count || more ? ", " : " or ";
        buf_printf(out, "%s%s", gap, texts[i]);
    }
    buf_text(out, more ? ", ..." : ".");
}

/* The token as it may be shown: cut, and without control characters. */
static void say_token(Buf *out, Token token) {
    uint32_t size = token.bytes.size;
    if (size > TOKEN_SHOWN_MAX) {
        size = TOKEN_SHOWN_MAX;
        while (size > 0 && is_inside_character(token.bytes.data[size]))
            size--;
    }
    show_bytes(out, (Bytes){token.bytes.data, size});
    if (size < token.bytes.size)
        buf_text(out, "...");
}

static void say_what(Buf *out, const Diagnosis *diagnosis, bool reserved) {
    Token token = diagnosis->token;
    if (token.kind == 0) {
        buf_text(out, "Syntax error: the text ends too early");
        return;
    }
    bool unknown = diagnosis->at_start && token_is_word(token);
    buf_text(out, unknown    ? "Unknown statement \""
                  : reserved ? "\""
                             : "Syntax error at or near \"");
    say_token(out, token);
    buf_u8(out, '"');
    if (reserved)
        buf_printf(out, " is a reserved word: as a name it is written `%s`",
                   keyword_find(token.bytes)->text);
}

/* Words of other databases' SQL, and how the same is said here. */
static const char *foreign_hint(Token token) {
    static const struct {
        const char *word, *hint;
    } words[] = {
        {"DELETE", "A row of a table goes with a record of its key whose value is NULL; DROP ... "
                   "DELETE TOPIC forgets all."},
        {"DISTINCT", "SELECT DISTINCT is written GROUP BY: it makes each of the columns once. "
                     "COUNT(DISTINCT x) counts different values."},
        {"MERGE", "INSERT INTO table ... VALUES sets the row of its key, there or not."},
        {"TRUNCATE", "DROP ... DELETE TOPIC forgets all records."},
        {"UNION", "INSERT INTO stream SELECT ... adds a second query's rows to a stream."},
        {"UPDATE", "INSERT INTO table ... VALUES sets the row of its key."},
        {"USE", "There is one catalog: names stand alone."},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (token.bytes.size == strlen(words[i].word) &&
            strncasecmp((const char *)token.bytes.data, words[i].word, token.bytes.size) == 0)
            return words[i].hint;
    return NULL;
}

ErrCode parse_error_report(const SyntaxError *error, Err *err) {
    Diagnosis diagnosis = {.error = error, .at_start = error->token_index == 0};
    diagnosis.expected.extensions = error->start.extensions;
    diagnosis_run(&diagnosis);
    expected_fill(&diagnosis.expected, &diagnosis.before);
    if (token_is_word(diagnosis.token))
        diagnosis.meant = expected_near(&diagnosis.expected, diagnosis.token.bytes);
    if (!diagnosis.meant)
        diagnosis_blame(&diagnosis);
    const char *foreign = foreign_hint(diagnosis.token);
    bool reserved = !foreign && diagnosis_is_reserved(&diagnosis);
    AstPos pos = diagnosis.token.pos;
    Buf out = {0};
    buf_printf(&out, "line %u:%u: ", pos.line, pos.column);
    say_what(&out, &diagnosis, reserved);
    show_line(&out, error->start.text, pos);
    if (foreign)
        buf_printf(&out, "\n  %s", foreign);
    else if (!reserved)
        say_expected(&out, &diagnosis);
    if (diagnosis.meant && !reserved && !foreign)
        buf_printf(&out, "%sDid you mean %s?", diagnosis.at_start ? "\n  " : " ",
                   diagnosis.meant->text);
    ErrCode code = err_set_at(err, ERR_SYNTAX, pos.line, pos.column, "%s", buf_cstr(&out));
    buf_free(&out);
    probe_free(&diagnosis.before);
    probe_free(&diagnosis.before_previous);
    return code;
}
