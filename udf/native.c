/*
 * native.c - see native.h: columns as weir_udf.h has them, without copying.
 */
#include "udf/native.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/io_library.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "udf/weir_udf.h"

_Static_assert(sizeof(WeirUdfBytes) == sizeof(Bytes) &&
                   offsetof(WeirUdfBytes, size) == offsetof(Bytes, size),
               "texts are handed over as they are");

typedef struct Native {
    const UserFunction *function;
    const WeirUdf *udf; /* NULL: not loaded */
    bool broken;        /* it cannot be: `error` says why */
    bool opened;
    void *state;
    Err error;
} Native;

/* -- Loading ----------------------------------------------------------------------------------- */

static ErrCode native_load(const UserFunction *function, const WeirUdf **udf, Err *err) {
    void *address;
    TRY(io_library_symbol(function->body, function->symbol, &address, err));
    const WeirUdf *found = address;
    if (found->abi != WEIR_UDF_ABI || !found->call || !found->signature)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s of %s is for version %u of weir_udf.h, this Weir has version %d.",
                       function->symbol, function->body, found->abi, WEIR_UDF_ABI);
    if (strcmp(found->signature, function->function.signature) != 0)
        return err_set(err, ERR_TYPE, "%s of %s is %s, but the function is declared as %s.",
                       function->symbol, function->body, found->signature,
                       function->function.signature);
    *udf = found;
    return ERR_OK;
}

ErrCode native_check(const UserFunction *function, Err *err) {
    const WeirUdf *udf;
    assert(function->language == USER_NATIVE);
    if (type_is_nested(function->result))
        return err_set(err, ERR_UNSUPPORTED, "A function in C cannot return an ARRAY, MAP or "
                       "STRUCT.");
    return native_load(function, &udf, err);
}

static void native_close(void *object) {
    Native *native = object;
    if (native->opened && native->udf->close)
        native->udf->close(native->state);
}

void *native_open(const UserFunction *function, Arena *arena) {
    Native *native = arena_alloc(arena, sizeof *native);
    native->function = function;
    arena_defer(arena, native_close, native);
    return native;
}

static void native_start(Native *native) {
    if (native->udf || native->broken)
        return;
    native->broken = native_load(native->function, &native->udf, &native->error) != ERR_OK;
    if (native->broken)
        return;
    native->opened = true;
    if (native->udf->open)
        native->state = native->udf->open();
}

/* -- Columns ----------------------------------------------------------------------------------- */

static uint32_t native_type(TypeKind kind) {
    switch (kind) {
    case TYPE_NULL: break;
    case TYPE_BOOLEAN: return WEIR_UDF_BOOLEAN;
    case TYPE_INT: return WEIR_UDF_INTEGER;
    case TYPE_BIGINT: return WEIR_UDF_BIGINT;
    case TYPE_DOUBLE: return WEIR_UDF_DOUBLE;
    case TYPE_DECIMAL: return WEIR_UDF_DECIMAL;
    case TYPE_STRING: return WEIR_UDF_STRING;
    case TYPE_BYTES: return WEIR_UDF_BYTES;
    case TYPE_DATE: return WEIR_UDF_DATE;
    case TYPE_TIME: return WEIR_UDF_TIME;
    case TYPE_TIMESTAMP: return WEIR_UDF_TIMESTAMP;
    case TYPE_ARRAY: return WEIR_UDF_ARRAY;
    case TYPE_MAP: return WEIR_UDF_MAP;
    case TYPE_STRUCT: return WEIR_UDF_STRUCT;
    }
    assert(0 && "a column without a type");
    return 0;
}

static WeirUdfColumn native_column(const Column *column, Arena *arena) {
    const Type *type = column->type;
    WeirUdfColumn made = {.type = native_type(type->kind), .length = column->length,
                          .validity = column->validity, .data = column->data,
                          .offsets = column->offsets, .precision = type->precision,
                          .scale = type->scale};
    if (!type_is_nested(type))
        return made;
    WeirUdfColumn *children = arena_array(arena, type->field_count, sizeof *children);
    for (uint32_t i = 0; i < type->field_count; i++)
        children[i] = native_column(&column->children[i], arena);
    made.children = children;
    made.child_count = type->field_count;
    return made;
}

/* -- Calling ----------------------------------------------------------------------------------- */

static void *native_allocate(const WeirUdfCall *call, size_t size) {
    const FunctionCall *host = call->host;
    return arena_raw(host->arena, size);
}

static void native_fail(const WeirUdfCall *call, uint32_t row, const char *text) {
    const FunctionCall *host = call->host;
    const Native *native = host->state;
    host->fail(host->context, row, "Function %s: %s", native->function->name, text);
}

/* The wanted rows whose arguments are all there. */
static uint32_t native_rows(const FunctionCall *call, uint16_t *rows) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < call->row_count; i++) {
        bool present = true;
        for (uint32_t a = 0; present && a < call->arg_count; a++)
            present = !column_is_null(call->args[a], call->rows[i]);
        rows[count] = call->rows[i];
        count += present;
    }
    return count;
}

/* What it wrote is believed only so far: texts must be UTF-8, and not too long. */
static void native_check_texts(const FunctionCall *call) {
    Column *result = call->result;
    if (result->type->kind != TYPE_STRING && result->type->kind != TYPE_BYTES)
        return;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(result, row))
            continue;
        const char *wrong = result->bytes[row].size > VALUE_BYTES_MAX ? "a text of over 4 MiB"
                            : result->type->kind == TYPE_STRING && !utf8_valid(result->bytes[row])
                                ? "a STRING that is not UTF-8"
                                : NULL;
        if (!wrong)
            continue;
        result->bytes[row] = (Bytes){NULL, 0};
        column_set_null(result, row);
        call->fail(call->context, row, "Function %s: it returned %s",
                   ((const Native *)call->state)->function->name, wrong);
    }
}

void native_kernel(const FunctionCall *call) {
    Native *native = call->state;
    native_start(native);
    for (uint32_t i = 0; native->broken && i < call->row_count; i++)
        call->fail(call->context, call->rows[i], "Function %s: %s", native->function->name,
                   native->error.message);
    if (native->broken)
        return;
    WeirUdfColumn *args = arena_array(call->arena, call->arg_count, sizeof *args);
    for (uint32_t i = 0; i < call->arg_count; i++)
        args[i] = native_column(call->args[i], call->arena);
    WeirUdfCall made = {.abi = WEIR_UDF_ABI, .arg_count = call->arg_count, .args = args,
                        .rows = call->rows, .row_count = call->row_count,
                        .result = native_column(call->result, call->arena),
                        .result_validity = call->result->validity, .state = native->state,
                        .allocate = native_allocate, .fail = native_fail,
                        .host = (void *)(uintptr_t)call};
    if (!(native->udf->flags & WEIR_UDF_SEES_NULLS)) {
        uint16_t *rows = arena_raw(call->arena, call->row_count * sizeof *rows);
        made.row_count = native_rows(call, rows);
        made.rows = rows;
    }
    native->udf->call(&made);
    native_check_texts(call);
}
