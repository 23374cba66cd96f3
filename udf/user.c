/*
 * user.c - see user.h.
 *
 * Distance of an overload: the sum over its arguments of how far each must be cast. Exact types
 * are at distance 0, so one with the very types wins over all others.
 */
#include "udf/user.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "data/decimal.h"
#include "udf/cage.h"
#include "udf/native.h"
#include "udf/signature.h"

static const char *const user_languages[] = {
    [USER_SQL] = "SQL", [USER_LUA] = "LUA", [USER_NATIVE] = "C"};

enum {
    USER_LANGUAGES = sizeof user_languages / sizeof user_languages[0],
    DISTANCE_TEXT = 100, /* a text taken for a time is farther than any number for another */
};

#define DISTANCE_NONE UINT32_MAX

const char *user_language_text(UserLanguage language) {
    assert((size_t)language < USER_LANGUAGES);
    return user_languages[language];
}

bool user_language_find(const char *text, UserLanguage *language) {
    for (uint32_t i = 0; i < USER_LANGUAGES; i++) {
        if (strcasecmp(user_languages[i], text) != 0)
            continue;
        *language = (UserLanguage)i;
        return true;
    }
    return false;
}

/* -- Definitions ------------------------------------------------------------------------------- */

const char *user_types_text(const UserFunction *function, Arena *arena) {
    Buf buf = {0};
    buf_u8(&buf, '(');
    for (uint32_t i = 0; i < function->param_count; i++) {
        buf_text(&buf, i > 0 ? ", " : "");
        type_print(&buf, function->params[i].type);
    }
    buf_u8(&buf, ')');
    const char *text = arena_strdup(arena, buf_cstr(&buf));
    buf_free(&buf);
    return text;
}

const char *user_text(const UserFunction *function, Arena *arena) {
    return arena_printf(arena, "%s%s", function->name, user_types_text(function, arena));
}

void user_finish(UserFunction *function, Arena *arena) {
    assert(function->name && function->result && function->body);
    const Type **types = arena_array(arena, function->param_count, sizeof *types);
    for (uint32_t i = 0; i < function->param_count; i++)
        types[i] = function->params[i].type;
    function->param_types = types;
    function->function = (Function){
        .name = function->name,
        .signature = arena_printf(arena, "%s -> %s", user_types_text(function, arena),
                                  type_text(arena, function->result)),
        .help = "",
        .flags = FUNCTION_SEES_NULLS,
        .user = function,
    };
    if (function->language == USER_LUA) {
        function->function.kernel = cage_kernel;
        function->function.open = cage_open;
    }
    if (function->language == USER_NATIVE) {
        function->function.kernel = native_kernel;
        function->function.open = native_open;
    }
}

UserFunction *user_copy(const UserFunction *function, Arena *arena) {
    UserFunction *copy = arena_alloc(arena, sizeof *copy);
    UserParam *params = arena_array(arena, function->param_count, sizeof *params);
    *copy = *function;
    copy->owner = NULL;
    for (uint32_t i = 0; i < function->param_count; i++)
        params[i] = (UserParam){arena_strdup(arena, function->params[i].name),
                                type_copy(arena, function->params[i].type)};
    copy->name = arena_strdup(arena, function->name);
    copy->params = params;
    copy->result = type_copy(arena, function->result);
    copy->body = arena_strdup(arena, function->body);
    copy->symbol = function->symbol ? arena_strdup(arena, function->symbol) : NULL;
    user_finish(copy, arena);
    return copy;
}

bool user_has_types(const UserFunction *function, const Type *const *types, uint32_t count) {
    if (count != function->param_count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(function->params[i].type, types[i]))
            return false;
    }
    return true;
}

/* -- Resolution -------------------------------------------------------------------------------- */

/* Whether every value of the decimal type `from` is one of `to`. */
static bool decimal_holds(const Type *to, const Type *from) {
    uint32_t precision, scale;
    decimal_shape(from, &precision, &scale);
    return to->scale >= scale && to->precision - to->scale >= (int)precision - (int)scale;
}

static uint32_t user_distance(const Type *from, const Type *to) {
    if (from->kind == TYPE_NULL || type_equal(from, to))
        return 0;
    if (to->kind == TYPE_DECIMAL && from->kind != TYPE_DOUBLE && type_is_number(from))
        return decimal_holds(to, from) ? 1 + (uint32_t)(to->kind - from->kind) : DISTANCE_NONE;
    if (type_is_nested(to) || !signature_implicit_cast(from, to->kind))
        return DISTANCE_NONE;
    return type_is_number(from) ? 1 + (uint32_t)(to->kind - from->kind) : DISTANCE_TEXT;
}

static uint32_t user_call_distance(const UserFunction *function, const UserCall *call) {
    uint32_t sum = 0;
    if (function->param_count != call->type_count)
        return DISTANCE_NONE;
    for (uint32_t i = 0; i < call->type_count; i++) {
        uint32_t distance = user_distance(call->types[i], function->params[i].type);
        if (distance == DISTANCE_NONE)
            return DISTANCE_NONE;
        sum += distance;
    }
    return sum;
}

static void user_print_alternatives(Buf *out, const UserCall *call, uint32_t only_distance) {
    Arena *scratch = arena_new("alternatives", 0);
    for (uint32_t i = 0; i < call->overload_count; i++) {
        const UserFunction *function = call->overloads[i];
        if (only_distance == DISTANCE_NONE || user_call_distance(function, call) == only_distance)
            buf_printf(out, "\n%s", user_text(function, scratch));
    }
    arena_free(scratch);
}

static ErrCode user_refuse(const UserCall *call, uint32_t distance, Err *err) {
    Buf types = {0}, alternatives = {0};
    for (uint32_t i = 0; i < call->type_count; i++) {
        buf_text(&types, i > 0 ? ", " : "");
        if (call->types[i]->kind == TYPE_NULL)
            buf_text(&types, "null");
        else
            type_print(&types, call->types[i]);
    }
    user_print_alternatives(&alternatives, call, distance);
    ErrCode code =
        distance == DISTANCE_NONE
            ? err_set(err, ERR_TYPE,
                      "Function '%s' does not accept parameters (%s).\nValid alternatives are:%s",
                      call->name, buf_cstr(&types), buf_cstr(&alternatives))
            : err_set(err, ERR_AMBIGUOUS,
                      "Function '%s' cannot be resolved due to ambiguous method parameters (%s).\n"
                      "Equally good are:%s\nCAST the arguments to say which one is meant.",
                      call->name, buf_cstr(&types), buf_cstr(&alternatives));
    buf_free(&types);
    buf_free(&alternatives);
    return code;
}

ErrCode user_resolve(const UserCall *call, const UserFunction **function, Err *err) {
    assert(call->overload_count > 0);
    uint32_t best = DISTANCE_NONE, equals = 0;
    for (uint32_t i = 0; i < call->overload_count; i++) {
        uint32_t distance = user_call_distance(call->overloads[i], call);
        if (distance == DISTANCE_NONE || distance > best)
            continue;
        equals = distance == best ? equals + 1 : 1;
        best = distance;
        *function = call->overloads[i];
    }
    return best == DISTANCE_NONE || equals > 1 ? user_refuse(call, best, err) : ERR_OK;
}
