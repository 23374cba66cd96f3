/*
 * expr_like.c - LIKE: % any characters, _ one character, and an escape character if one is given.
 *
 * A pattern is cut at its % into pieces. The first piece must stand at the start, the last at the
 * end, those between are found from left to right, the earliest place first, which is right since
 * a % takes up whatever is left between. A piece without _ is a plain run of bytes.
 *
 * As in ksqlDB, whose LIKE is a regular expression of Java, neither % nor _ takes a line's end: a
 * text that has one is matched place by place.
 */
#include "base/utf8.h"
#include "runtime/expr_compile_impl.h"

/* Bytes of a piece: `any` marks the places of _ (which hold one byte here). */
typedef struct LikePiece {
    Bytes text;
    const bool *any; /* NULL: none */
} LikePiece;

struct ExprLike {
    LikePiece *pieces; /* first, middle ones, last */
    uint32_t count;    /* 1: no % at all */
};

typedef struct LikeBuilder {
    ExprLike *like;
    uint8_t *text;
    bool *any;
    uint32_t size, start;
} LikeBuilder;

static void like_end_piece(LikeBuilder *builder) {
    LikePiece *piece = &builder->like->pieces[builder->like->count++];
    piece->text = (Bytes){builder->text + builder->start, builder->size - builder->start};
    for (uint32_t i = builder->start; i < builder->size; i++)
        if (builder->any[i])
            piece->any = builder->any + builder->start;
    builder->start = builder->size;
}

static void like_add(LikeBuilder *builder, uint8_t byte, bool any) {
    builder->text[builder->size] = byte;
    builder->any[builder->size++] = any;
}

const ExprLike *expr_like_build(Bytes pattern, char escape, Arena *arena) {
    assert(arena);
    LikeBuilder builder = {.like = arena_alloc(arena, sizeof(ExprLike))};
    builder.like->pieces = arena_array(arena, (size_t)pattern.size + 1, sizeof(LikePiece));
    builder.text = arena_alloc(arena, pattern.size);
    builder.any = arena_alloc(arena, pattern.size);
    for (uint32_t i = 0; i < pattern.size; i++) {
        uint8_t byte = pattern.data[i];
        if (escape && byte == (uint8_t)escape && i + 1 < pattern.size)
            like_add(&builder, pattern.data[++i], false);
        else if (byte == '%')
            like_end_piece(&builder);
        else
            like_add(&builder, byte, byte == '_');
    }
    like_end_piece(&builder);
    return builder.like;
}

bool expr_like_is_open(Bytes pattern, char escape) {
    bool open = false;
    for (uint32_t i = 0; escape && i < pattern.size; i++)
        open = !open && pattern.data[i] == (uint8_t)escape;
    return open;
}

/* Whether a line ends at the start of `text` (not empty); *size: bytes of its first character. */
static bool like_line_end(Bytes text, uint32_t *size) {
    uint32_t character = utf8_decode(text, size);
    return character == '\n' || character == '\r' || character == 0x85 || character == 0x2028 ||
           character == 0x2029;
}

/* Whether the text may have a line's end: one of the bytes that they begin with is there. */
static bool like_may_have_lines(Bytes text) {
    return text.size > 0 &&
           (memchr(text.data, '\n', text.size) || memchr(text.data, '\r', text.size) ||
            memchr(text.data, 0xC2, text.size) || memchr(text.data, 0xE2, text.size));
}

/* Bytes of `text` that the piece takes at its start; UINT32_MAX: it does not stand there. */
static uint32_t like_at(const LikePiece *piece, Bytes text) {
    if (!piece->any) {
        bool same = text.size >= piece->text.size &&
                    (piece->text.size == 0 ||
                     memcmp(text.data, piece->text.data, piece->text.size) == 0);
        return same ? piece->text.size : UINT32_MAX;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < piece->text.size; i++) {
        uint32_t size = 1;
        if (at == text.size)
            return UINT32_MAX;
        if (piece->any[i] && like_line_end((Bytes){text.data + at, text.size - at}, &size))
            return UINT32_MAX;
        if (!piece->any[i] && text.data[at] != piece->text.data[i])
            return UINT32_MAX;
        at += size;
    }
    return at;
}

static Bytes like_rest(Bytes text, uint32_t from) {
    assert(from <= text.size);
    return (Bytes){text.data + from, text.size - from};
}

/* Removes the earliest occurrence of a piece and all before it; false: there is none. */
static bool like_find(const LikePiece *piece, Bytes *text) {
    if (!piece->any) {
        uint32_t at = utf8_find(*text, piece->text, 0);
        if (at != UINT32_MAX)
            *text = like_rest(*text, at + piece->text.size);
        return at != UINT32_MAX;
    }
    for (;;) {
        uint32_t taken = like_at(piece, *text), size;
        if (taken != UINT32_MAX) {
            *text = like_rest(*text, taken);
            return true;
        }
        if (text->size == 0)
            return false;
        utf8_decode(*text, &size);
        *text = like_rest(*text, size);
    }
}

/* Whether the last piece stands at the very end of what is left. */
static bool like_ends(const LikePiece *piece, Bytes text) {
    if (!piece->any)
        return text.size >= piece->text.size &&
               like_at(piece, like_rest(text, text.size - piece->text.size)) != UINT32_MAX;
    for (;;) {
        uint32_t size;
        if (like_at(piece, text) == text.size)
            return true;
        if (text.size == 0)
            return false;
        utf8_decode(text, &size);
        text = like_rest(text, size);
    }
}

static bool like_fits(const ExprLike *like, Bytes text) {
    uint32_t taken = like_at(&like->pieces[0], text);
    if (taken == UINT32_MAX)
        return false;
    if (like->count == 1)
        return taken == text.size;
    text = like_rest(text, taken);
    for (uint32_t i = 1; i + 1 < like->count; i++)
        if (!like_find(&like->pieces[i], &text))
            return false;
    return like_ends(&like->pieces[like->count - 1], text);
}

/* One piece further: from the places in `begins` (bytes of text, its end included) over a % and the
 * piece to those in `ends`. */
static void like_advance(const LikePiece *piece, Bytes text, const bool *begins, bool *ends) {
    bool open = false; /* a % that began at some place reaches this one */
    memset(ends, 0, text.size + 1);
    for (uint32_t at = 0, size = 1; at <= text.size; at += size) {
        open |= begins[at];
        uint32_t taken = open ? like_at(piece, like_rest(text, at)) : UINT32_MAX;
        if (taken != UINT32_MAX)
            ends[at + taken] = true;
        size = 1;
        if (at < text.size && like_line_end(like_rest(text, at), &size))
            open = false;
    }
}

static bool like_fits_lines(const ExprLike *like, Bytes text, Arena *arena) {
    bool *begins = arena_alloc(arena, text.size + 1), *ends = arena_alloc(arena, text.size + 1);
    uint32_t taken = like_at(&like->pieces[0], text);
    if (taken == UINT32_MAX)
        return false;
    begins[taken] = true;
    for (uint32_t i = 1; i < like->count; i++) {
        like_advance(&like->pieces[i], text, begins, ends);
        bool *swap = begins;
        begins = ends;
        ends = swap;
    }
    return begins[text.size];
}

static bool like_holds(const ExprLike *like, Bytes text, Arena *arena) {
    return like_may_have_lines(text) ? like_fits_lines(like, text, arena) : like_fits(like, text);
}

void expr_like_pattern(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target(program, inst);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        target->boolean[row] = like_holds(inst->extra, a->bytes[row], program->batch->arena);
    }
    expr_strict(program, inst, target);
}

void expr_like_dynamic(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    const Column *pattern = expr_operand(program, inst->b);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target_missing(program, inst);
    const ExprLike *like = NULL;
    Bytes built = {0};
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(a->validity, row) || !expr_present(pattern->validity, row))
            continue;
        if (!bytes_equal(built, pattern->bytes[row]) || !built.data) {
            built = pattern->bytes[row];
            like = expr_like_is_open(built, (char)inst->index)
                       ? NULL
                       : expr_like_build(built, (char)inst->index, program->batch->arena);
        }
        if (!like) {
            expr_row_error(program, inst, row, "LIKE pattern must not end with escape character");
            continue;
        }
        target->boolean[row] = like_holds(like, a->bytes[row], program->batch->arena);
        column_set_present(target, row);
    }
}
