/*
 * signature.c - see signature.h.
 *
 * A signature is parsed anew for each resolution: it happens once per call in a statement. The
 * texts are ours, so that a malformed one is a bug and asserts.
 */
#include "udf/signature.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "data/decimal.h"

typedef enum SigKind {
    SIG_SCALAR,
    SIG_DECIMAL,
    SIG_WIDEST,
    SIG_WHOLE,
    SIG_GENERIC,
    SIG_ARRAY,
    SIG_MAP,
    SIG_STRUCT,
    SIG_LAMBDA,
    SIG_ANY,
} SigKind;

enum { SIG_PARAMS_MAX = 12, SIG_LETTERS = 26, SIG_TYPE_ARGS_MAX = 4 };

typedef struct SigType SigType;
struct SigType {
    SigKind kind;
    TypeKind scalar;
    uint32_t letter;
    const SigType *args[SIG_TYPE_ARGS_MAX]; /* of a lambda: its parameters, then its result */
    const char *names[SIG_TYPE_ARGS_MAX];   /* of a STRUCT */
    uint32_t arg_count;
    uint16_t precision, scale; /* of a DECIMAL that has them, otherwise 0 */
};

typedef struct Sig {
    const SigType *params[SIG_PARAMS_MAX];
    uint32_t param_count;
    uint32_t required;
    int32_t variadic; /* index of the variadic parameter; -1: none */
    bool literal[SIG_PARAMS_MAX];
    const SigType *result;
} Sig;

/* One signature that fits, with a number of its optional parameters. */
typedef struct SigCandidate {
    uint32_t index;
    Sig sig;
    uint32_t params_used;
    const Type *bound[SIG_LETTERS];
} SigCandidate;

/* -- Parsing ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    SigKind kind;
    TypeKind scalar;
} sig_words[] = {
    {"BOOLEAN", SIG_SCALAR, TYPE_BOOLEAN},
    {"INTEGER", SIG_SCALAR, TYPE_INT},
    {"BIGINT", SIG_SCALAR, TYPE_BIGINT},
    {"DOUBLE", SIG_SCALAR, TYPE_DOUBLE},
    {"STRING", SIG_SCALAR, TYPE_STRING},
    {"UNIT", SIG_SCALAR, TYPE_STRING},
    {"TIME", SIG_SCALAR, TYPE_TIME},
    {"DATE", SIG_SCALAR, TYPE_DATE},
    {"TIMESTAMP", SIG_SCALAR, TYPE_TIMESTAMP},
    {"BYTES", SIG_SCALAR, TYPE_BYTES},
    {"DECIMAL", SIG_DECIMAL, TYPE_DECIMAL},
    {"DECIMAL_WIDEST", SIG_WIDEST, TYPE_DECIMAL},
    {"DECIMAL_WHOLE", SIG_WHOLE, TYPE_DECIMAL},
    {"ARRAY", SIG_ARRAY, TYPE_ARRAY},
    {"MAP", SIG_MAP, TYPE_MAP},
    {"STRUCT", SIG_STRUCT, TYPE_STRUCT},
    {"LAMBDA", SIG_LAMBDA, TYPE_NULL},
    {"ANY", SIG_ANY, TYPE_NULL},
};

static void sig_expect(const char **text, const char *expected) {
    size_t size = strlen(expected);
    assert(strncmp(*text, expected, size) == 0);
    *text += size;
}

static const SigType *sig_parse_type(const char **text, Arena *arena);

static size_t sig_word_size(const char *text) {
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
}

/* Types between brackets, `close` after the last; those of a STRUCT have names. */
static void sig_parse_args(const char **text, SigType *type, const char *close, Arena *arena) {
    for (;;) {
        assert(type->arg_count < SIG_TYPE_ARGS_MAX);
        if (type->kind == SIG_STRUCT) {
            Bytes name = {(const uint8_t *)*text, (uint32_t)sig_word_size(*text)};
            type->names[type->arg_count] = arena_text(arena, name);
            *text += name.size;
            sig_expect(text, " ");
        }
        type->args[type->arg_count++] = sig_parse_type(text, arena);
        if (**text != ',')
            break;
        sig_expect(text, ", ");
    }
    sig_expect(text, close);
}

static uint16_t sig_parse_number(const char **text, const char *close) {
    uint16_t number = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = (uint16_t)(number * 10 + (**text - '0'));
    sig_expect(text, close);
    return number;
}

/* What stands behind the word. */
static void sig_parse_rest(const char **text, SigType *type, Arena *arena) {
    if (type->kind == SIG_LAMBDA) {
        sig_expect(text, " (");
        sig_parse_args(text, type, ") => ", arena);
        assert(type->arg_count < SIG_TYPE_ARGS_MAX);
        type->args[type->arg_count++] = sig_parse_type(text, arena);
    } else if (type->kind == SIG_STRUCT && **text != '<') {
        return; /* a result that its function knows better */
    } else if (type->kind == SIG_ARRAY || type->kind == SIG_MAP || type->kind == SIG_STRUCT) {
        sig_expect(text, "<");
        sig_parse_args(text, type, ">", arena);
    } else if (type->kind == SIG_DECIMAL && **text == '(') {
        sig_expect(text, "(");
        type->precision = sig_parse_number(text, ", ");
        type->scale = sig_parse_number(text, ")");
    }
}

static const SigType *sig_parse_type(const char **text, Arena *arena) {
    SigType *type = arena_alloc(arena, sizeof *type);
    size_t size = sig_word_size(*text);
    assert(size > 0);
    const char *word = *text;
    *text += size;
    if (size == 1) {
        type->kind = SIG_GENERIC;
        type->letter = (uint32_t)(*word - 'A');
        return type;
    }
    uint32_t found = 0;
    uint32_t word_count = sizeof sig_words / sizeof sig_words[0];
    while (found < word_count && (strlen(sig_words[found].name) != size ||
                                  strncmp(sig_words[found].name, word, size) != 0))
        found++;
    assert(found < word_count);
    type->kind = sig_words[found].kind;
    type->scalar = sig_words[found].scalar;
    sig_parse_rest(text, type, arena);
    return type;
}

static Sig sig_parse(const char *text, Arena *arena) {
    Sig sig = {.variadic = -1};
    sig_expect(&text, "(");
    while (*text != ')') {
        if (sig.param_count > 0)
            sig_expect(&text, ", ");
        bool optional = *text == '[';
        if (optional)
            text++;
        assert(sig.param_count < SIG_PARAMS_MAX);
        sig.literal[sig.param_count] = strncmp(text, "LITERAL ", 8) == 0;
        if (sig.literal[sig.param_count])
            sig_expect(&text, "LITERAL ");
        sig.params[sig.param_count] = sig_parse_type(&text, arena);
        if (optional) {
            sig_expect(&text, "]");
        } else {
            assert(sig.required == sig.param_count);
            sig.required++;
        }
        if (*text == '.') {
            sig_expect(&text, "...");
            assert(sig.variadic < 0 && !optional);
            sig.variadic = (int32_t)sig.param_count;
        }
        sig.param_count++;
    }
    sig_expect(&text, ") -> ");
    sig.result = sig_parse_type(&text, arena);
    assert(*text == '\0');
    return sig;
}

/* -- Matching --------------------------------------------------------------------------------- */

bool signature_implicit_cast(const Type *from, TypeKind to) {
    if (from->kind == to)
        return true;
    if (from->kind == TYPE_STRING)
        return to == TYPE_TIME || to == TYPE_DATE || to == TYPE_TIMESTAMP || to == TYPE_BYTES;
    return type_is_number(from) && to >= TYPE_INT && to <= TYPE_DOUBLE && from->kind < to;
}

static bool sig_fits(const SigType *param, const Type *type, bool cast,
                     const Type *bound[SIG_LETTERS]);

/* A STRUCT of just these fields. */
static bool sig_fits_struct(const SigType *param, const Type *type,
                            const Type *bound[SIG_LETTERS]) {
    if (type->kind != TYPE_STRUCT || type->field_count != param->arg_count)
        return false;
    for (uint32_t i = 0; i < param->arg_count; i++) {
        if (strcmp(type->fields[i].name, param->names[i]) != 0 ||
            !sig_fits(param->args[i], type->fields[i].type, false, bound))
            return false;
    }
    return true;
}

static bool sig_fits(const SigType *param, const Type *type, bool cast,
                     const Type *bound[SIG_LETTERS]) {
    if (type->kind == TYPE_NULL)
        return param->kind != SIG_LAMBDA;
    switch (param->kind) {
    case SIG_LAMBDA: return false;
    case SIG_ANY: return true;
    case SIG_STRUCT: return sig_fits_struct(param, type, bound);
    case SIG_GENERIC:
        if (!bound[param->letter])
            bound[param->letter] = type;
        return type_equal(bound[param->letter], type);
    case SIG_ARRAY:
        return type->kind == TYPE_ARRAY &&
               sig_fits(param->args[0], type->fields[0].type, false, bound);
    case SIG_MAP:
        return type->kind == TYPE_MAP &&
               sig_fits(param->args[0], type->fields[0].type, false, bound) &&
               sig_fits(param->args[1], type->fields[1].type, false, bound);
    default:
        return type->kind == param->scalar ||
               (cast && signature_implicit_cast(type, param->scalar));
    }
}

static bool sig_fits_lambda(const SigType *param, const SignatureLambda *lambda,
                            const Type *bound[SIG_LETTERS]) {
    assert(lambda->param_count > 0);
    if (param->kind != SIG_LAMBDA || param->arg_count != lambda->param_count + 1)
        return false;
    return !lambda->result || sig_fits(param->args[lambda->param_count], lambda->result, false,
                                       bound);
}

/* The parameter that argument `index` of `count` goes to, when `params` are in use. */
static uint32_t sig_param_of(const Sig *sig, uint32_t params, uint32_t index, uint32_t count) {
    if (sig->variadic < 0 || (int32_t)index < sig->variadic)
        return index;
    uint32_t after = params - (uint32_t)sig->variadic - 1;
    return count - index <= after ? params - (count - index) : (uint32_t)sig->variadic;
}

static bool sig_is_lambda(const SignatureCall *call, uint32_t index) {
    return call->lambdas && call->lambdas[index].param_count > 0;
}

static bool sig_match(SigCandidate *candidate, const SignatureCall *call, bool cast) {
    const Sig *sig = &candidate->sig;
    uint32_t count = call->type_count;
    if (sig->variadic >= 0) {
        if (count + 1 < sig->param_count)
            return false;
        candidate->params_used = sig->param_count;
    } else {
        if (count < sig->required || count > sig->param_count)
            return false;
        candidate->params_used = count;
    }
    memset(candidate->bound, 0, sizeof candidate->bound);
    for (uint32_t i = 0; i < count; i++) {
        const SigType *param = sig->params[sig_param_of(sig, candidate->params_used, i, count)];
        bool fits = sig_is_lambda(call, i)
                        ? sig_fits_lambda(param, &call->lambdas[i], candidate->bound)
                        : sig_fits(param, call->types[i], cast, candidate->bound);
        if (!fits)
            return false;
    }
    return true;
}

static bool sig_is_generic(const SigType *type) {
    if (type->kind == SIG_GENERIC || type->kind == SIG_ANY)
        return true;
    for (uint32_t i = 0; i < type->arg_count; i++) {
        if (sig_is_generic(type->args[i]))
            return true;
    }
    return false;
}

static int32_t sig_generic_count(const SigCandidate *candidate) {
    int32_t count = 0;
    for (uint32_t i = 0; i < candidate->params_used; i++)
        count += sig_is_generic(candidate->sig.params[i]);
    return count;
}

/* >0: `left` is the better one. */
static int32_t sig_compare(const SigCandidate *left, const SigCandidate *right) {
    int32_t order = (right->sig.variadic >= 0) - (left->sig.variadic >= 0);
    if (order == 0)
        order = (int32_t)left->params_used - (int32_t)right->params_used;
    if (order == 0)
        order = sig_generic_count(right) - sig_generic_count(left);
    if (order == 0)
        order = left->sig.variadic - right->sig.variadic;
    return order;
}

/* -- Types of what was found ------------------------------------------------------------------ */

static const Type *sig_bind(const SigType *sig, const SigCandidate *candidate, Arena *arena);

static const Type *sig_bind_struct(const SigType *sig, const SigCandidate *candidate,
                                   Arena *arena) {
    TypeField *fields = arena_array(arena, sig->arg_count, sizeof *fields);
    for (uint32_t i = 0; i < sig->arg_count; i++) {
        fields[i] = (TypeField){sig->names[i], sig_bind(sig->args[i], candidate, arena)};
        if (!fields[i].type)
            return NULL;
    }
    return type_struct(arena, fields, sig->arg_count);
}

/* The type that a parameter or result stands for; NULL: the arguments do not say. */
static const Type *sig_bind(const SigType *sig, const SigCandidate *candidate, Arena *arena) {
    const Type *first = NULL;
    Type *decimal;
    switch (sig->kind) {
    case SIG_GENERIC: return candidate->bound[sig->letter];
    case SIG_SCALAR: return type_scalar(sig->scalar);
    case SIG_ARRAY:
        first = sig_bind(sig->args[0], candidate, arena);
        return first ? type_array(arena, first) : NULL;
    case SIG_MAP: {
        first = sig_bind(sig->args[0], candidate, arena);
        const Type *second = sig_bind(sig->args[1], candidate, arena);
        return first && second ? type_map(arena, first, second) : NULL;
    }
    case SIG_STRUCT: return sig_bind_struct(sig, candidate, arena);
    case SIG_DECIMAL:
        if (sig->precision == 0)
            return NULL;
        decimal = arena_alloc(arena, sizeof *decimal);
        *decimal = (Type){TYPE_DECIMAL, sig->precision, sig->scale, 0, NULL};
        return decimal;
    default: return NULL;
    }
}

static const Type *sig_decimal(const Type *type, Arena *arena) {
    uint32_t precision, scale;
    decimal_shape(type, &precision, &scale);
    Type *decimal = arena_alloc(arena, sizeof *decimal);
    *decimal = (Type){TYPE_DECIMAL, (uint16_t)precision, (uint16_t)scale, 0, NULL};
    return decimal;
}

static const Type *sig_cast_type(const SigType *param, const Type *type,
                                 const SigCandidate *candidate, Arena *arena) {
    if (param->kind == SIG_LAMBDA) {
        const Type *bound = sig_bind(param->args[param->arg_count - 1], candidate, arena);
        return bound ? bound : &type_null;
    }
    if (type->kind == TYPE_NULL) {
        const Type *bound = sig_bind(param, candidate, arena);
        return bound ? bound : &type_null;
    }
    if (param->kind == SIG_SCALAR)
        return type_scalar(param->scalar);
    if (param->kind == SIG_DECIMAL && type->kind != TYPE_DECIMAL)
        return sig_decimal(type, arena);
    return type;
}

static const Type *sig_first_decimal(const SignatureCall *call, const SignatureMatch *match) {
    for (uint32_t i = 0; i < call->type_count; i++) {
        if (match->cast_types[i]->kind == TYPE_DECIMAL)
            return match->cast_types[i];
    }
    return NULL;
}

/* Casts all DECIMAL arguments to one type that holds each of them. */
static ErrCode sig_widest(const SignatureCall *call, Arena *arena, SignatureMatch *match,
                          Err *err) {
    uint32_t whole = 0, scale = 0;
    for (uint32_t i = 0; i < call->type_count; i++) {
        const Type *type = match->cast_types[i];
        if (type->kind != TYPE_DECIMAL)
            continue;
        uint32_t type_whole = (uint32_t)type->precision - type->scale;
        whole = whole > type_whole ? whole : type_whole;
        scale = scale > type->scale ? scale : type->scale;
    }
    TRY(type_decimal(arena, whole + scale, scale, &match->result, err));
    for (uint32_t i = 0; i < call->type_count; i++)
        match->cast_types[i] = match->result;
    return ERR_OK;
}

static ErrCode sig_result(const SigCandidate *candidate, const SignatureCall *call, Arena *arena,
                          SignatureMatch *match, Err *err) {
    const SigType *result = candidate->sig.result;
    const Type *decimal = sig_first_decimal(call, match);
    if (result->kind == SIG_WIDEST && decimal)
        return sig_widest(call, arena, match, err);
    if (result->kind == SIG_WHOLE && decimal)
        return type_decimal(arena, decimal->precision - decimal->scale, 0, &match->result, err);
    match->result = sig_bind(result, candidate, arena);
    if (result->kind == SIG_DECIMAL && result->precision == 0)
        match->result = decimal;
    if (result->kind == SIG_ARRAY && result->args[0]->kind == SIG_DECIMAL && decimal)
        match->result = type_array(arena, decimal);
    if (!match->result)
        return err_set(err, ERR_TYPE,
                       "The type of the result of function '%s' cannot be told from its "
                       "arguments: they are NULL.", call->name);
    return ERR_OK;
}

static ErrCode sig_finish(const SigCandidate *candidate, const SignatureCall *call, Arena *arena,
                          SignatureMatch *match, Err *err) {
    const Sig *sig = &candidate->sig;
    match->index = candidate->index;
    match->literal_count = 0;
    match->cast_types = arena_array(arena, call->type_count, sizeof *match->cast_types);
    for (uint32_t i = 0; i < call->type_count; i++) {
        uint32_t param = sig_param_of(sig, candidate->params_used, i, call->type_count);
        match->cast_types[i] =
            sig_cast_type(sig->params[param], call->types[i], candidate, arena);
        match->literal_count += sig->literal[param];
    }
    return sig_result(candidate, call, arena, match, err);
}

/* -- Choosing --------------------------------------------------------------------------------- */

/* LAMBDA (INTEGER) => BOOLEAN; what is not known yet is left out. */
static void sig_print_lambda(Buf *out, const SignatureLambda *lambda) {
    buf_text(out, "LAMBDA");
    if (!lambda->params)
        return;
    for (uint32_t i = 0; i < lambda->param_count; i++) {
        buf_text(out, i == 0 ? " (" : ", ");
        type_print(out, lambda->params[i]);
    }
    buf_text(out, ")");
    if (!lambda->result)
        return;
    buf_text(out, " => ");
    if (lambda->result->kind == TYPE_NULL)
        buf_text(out, "null");
    else
        type_print(out, lambda->result);
}

static void sig_print_types(Buf *out, const SignatureCall *call) {
    for (uint32_t i = 0; i < call->type_count; i++) {
        if (i > 0)
            buf_text(out, ", ");
        if (sig_is_lambda(call, i))
            sig_print_lambda(out, &call->lambdas[i]);
        else if (call->types[i]->kind == TYPE_NULL)
            buf_text(out, "null");
        else
            type_print(out, call->types[i]);
    }
}

static ErrCode sig_none_fits(const SignatureCall *call, Err *err) {
    Buf text = {0};
    buf_printf(&text, "Function '%s' does not accept parameters (", call->name);
    sig_print_types(&text, call);
    buf_text(&text, ").\nValid alternatives are:");
    for (uint32_t i = 0; i < call->signature_count; i++) {
        const char *arrow = strstr(call->signatures[i], " -> ");
        buf_printf(&text, "\n%s%.*s", call->name, (int)(arrow - call->signatures[i]),
                   call->signatures[i]);
    }
    ErrCode code = err_set(err, ERR_TYPE, "%s", buf_cstr(&text));
    buf_free(&text);
    return code;
}

static ErrCode sig_ambiguous(const SignatureCall *call, Err *err) {
    Buf text = {0};
    sig_print_types(&text, call);
    ErrCode code = err_set(err, ERR_AMBIGUOUS,
                           "Function '%s' cannot be resolved due to ambiguous method parameters "
                           "(%s).", call->name, buf_cstr(&text));
    buf_free(&text);
    return code;
}

/* The best of those that fit; TYPE or AMBIGUOUS. */
static ErrCode sig_choose(const SignatureCall *call, Arena *arena, SigCandidate *best, Err *err) {
    assert(call->signature_count > 0);
    for (int cast = 0; cast <= 1; cast++) {
        bool found = false, tie = false;
        for (uint32_t i = 0; i < call->signature_count; i++) {
            SigCandidate candidate = {.index = i, .sig = sig_parse(call->signatures[i], arena)};
            if (!sig_match(&candidate, call, cast == 1))
                continue;
            int32_t order = found ? sig_compare(&candidate, best) : 1;
            tie = order == 0 || (tie && order < 0);
            if (order > 0)
                *best = candidate;
            found = true;
        }
        if (tie)
            return sig_ambiguous(call, err);
        if (found)
            return ERR_OK;
    }
    return sig_none_fits(call, err);
}

ErrCode signature_resolve(const SignatureCall *call, Arena *arena, SignatureMatch *match,
                          Err *err) {
    SigCandidate best = {0};
    TRY(sig_choose(call, arena, &best, err));
    return sig_finish(&best, call, arena, match, err);
}

ErrCode signature_lambda(const SignatureCall *call, uint32_t index, Arena *arena,
                         const Type **params, Err *err) {
    SigCandidate best = {0};
    assert(sig_is_lambda(call, index));
    TRY(sig_choose(call, arena, &best, err));
    uint32_t at = sig_param_of(&best.sig, best.params_used, index, call->type_count);
    const SigType *lambda = best.sig.params[at];
    for (uint32_t i = 0; i < call->lambdas[index].param_count; i++) {
        params[i] = sig_bind(lambda->args[i], &best, arena);
        if (!params[i])
            return err_set(err, ERR_TYPE,
                           "The types of the parameters of a lambda of function '%s' cannot be "
                           "told from its other arguments: they are NULL.", call->name);
    }
    return ERR_OK;
}

static bool row_is_named(const void *rows, size_t row_size, uint32_t index, const char *name) {
    const char *const *row = (const void *)((const char *)rows + index * row_size);
    return strcasecmp(*row, name) == 0;
}

const void *signature_rows(const void *rows, size_t row_size, uint32_t row_count, const char *name,
                           uint32_t *count) {
    assert(rows && name && count);
    uint32_t first = 0;
    while (first < row_count && !row_is_named(rows, row_size, first, name))
        first++;
    uint32_t end = first;
    while (end < row_count && row_is_named(rows, row_size, end, name))
        end++;
    *count = end - first;
    return *count > 0 ? (const char *)rows + first * row_size : NULL;
}
