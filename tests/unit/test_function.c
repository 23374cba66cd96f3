/* test_function.c - which overload a call means, and what it says when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "udf/aggregate.h"
#include "udf/function.h"
#include "udf/signature.h"
#include "udf/table.h"

static Arena *arena;

/* Types of a call by name, ended by NULL: "INTEGER", "null", "DECIMAL(4,2)" is d42. */
static const Type d42 = {TYPE_DECIMAL, 4, 2, 0, NULL};
static const Type d31 = {TYPE_DECIMAL, 3, 1, 0, NULL};

static SignatureMatch match;
static Err err;

/* Resolves against signatures given as one text, separated by '|'. */
static ErrCode resolve(const char *signatures, const Type *const *types, uint32_t count) {
    const char *list[8];
    uint32_t signature_count = 0;
    char *text = arena_strdup(arena, signatures);
    for (char *next = text; next; signature_count++) {
        list[signature_count] = next;
        next = strchr(next, '|');
        if (next)
            *next++ = '\0';
    }
    SignatureCall call = {"f", list, signature_count, types, count, NULL};
    return signature_resolve(&call, arena, &match, &err);
}

#define RESOLVE(signatures, ...) \
    resolve(signatures, (const Type *const[]){__VA_ARGS__}, \
            sizeof((const Type *const[]){__VA_ARGS__}) / sizeof(Type *))

static const char *result_text(void) {
    return type_text(arena, match.result);
}

static void test_exact_before_cast(void **state) {
    (void)state;
    const char *abs = "(INTEGER) -> INTEGER|(BIGINT) -> BIGINT|(DOUBLE) -> DOUBLE";
    assert_int_equal(RESOLVE(abs, &type_bigint), ERR_OK);
    assert_int_equal(match.index, 1);
    assert_int_equal(RESOLVE(abs, &d42), ERR_OK);
    assert_int_equal(match.index, 2);
    assert_ptr_equal(match.cast_types[0], &type_double);
}

static void test_widening(void **state) {
    (void)state;
    assert_int_equal(RESOLVE("(BIGINT) -> TIMESTAMP", &type_int), ERR_OK);
    assert_ptr_equal(match.cast_types[0], &type_bigint);
    assert_int_equal(RESOLVE("(DECIMAL) -> DECIMAL", &type_int), ERR_OK);
    assert_string_equal(result_text(), "DECIMAL(10, 0)");
    assert_int_equal(RESOLVE("(INTEGER) -> INTEGER", &type_bigint), ERR_TYPE);
    assert_int_equal(RESOLVE("(TIMESTAMP) -> BIGINT", &type_string), ERR_OK);
    assert_int_equal(RESOLVE("(STRING) -> STRING", &type_int), ERR_TYPE);
}

static void test_null_fits_anything(void **state) {
    (void)state;
    assert_int_equal(RESOLVE("(STRING, INTEGER) -> STRING", &type_null, &type_null), ERR_OK);
    assert_ptr_equal(match.cast_types[0], &type_string);
    assert_int_equal(RESOLVE("(INTEGER) -> INTEGER|(DOUBLE) -> DOUBLE", &type_null),
                     ERR_AMBIGUOUS);
    assert_string_equal(err.message, "Function 'f' cannot be resolved due to ambiguous method "
                                     "parameters (null).");
}

static void test_ambiguous_casts(void **state) {
    (void)state;
    const char *greatest = "(INTEGER, INTEGER...) -> INTEGER|(BIGINT, BIGINT...) -> BIGINT|"
                           "(DOUBLE, DOUBLE...) -> DOUBLE|"
                           "(DECIMAL, DECIMAL...) -> DECIMAL_WIDEST|(STRING, STRING...) -> STRING";
    assert_int_equal(RESOLVE(greatest, &type_int, &type_null, &type_int), ERR_OK);
    assert_int_equal(RESOLVE(greatest, &type_int, &type_bigint), ERR_AMBIGUOUS);
    assert_int_equal(RESOLVE(greatest, &type_int, &type_double), ERR_OK);
    assert_int_equal(match.index, 2);
    assert_int_equal(RESOLVE(greatest, &d42, &d31, &type_null), ERR_OK);
    assert_string_equal(result_text(), "DECIMAL(4, 2)");
    assert_string_equal(type_text(arena, match.cast_types[1]), "DECIMAL(4, 2)");
    assert_int_equal(RESOLVE(greatest, &type_string, &type_int), ERR_TYPE);
}

static void test_generics(void **state) {
    (void)state;
    const Type *ints = type_array(arena, &type_int);
    assert_int_equal(RESOLVE("(T, T) -> T", &type_null, &type_int), ERR_OK);
    assert_ptr_equal(match.result, &type_int);
    assert_ptr_equal(match.cast_types[0], &type_int);
    assert_int_equal(RESOLVE("(T, T) -> T", &type_bigint, &type_int), ERR_TYPE);
    assert_int_equal(RESOLVE("(T, T) -> T", &type_null, &type_null), ERR_TYPE);
    assert_int_equal(RESOLVE("(ARRAY<T>, T) -> BOOLEAN", ints, &type_int), ERR_OK);
    assert_int_equal(RESOLVE("(ARRAY<T>, T) -> BOOLEAN", ints, &type_string), ERR_TYPE);
    assert_int_equal(RESOLVE("(MAP<K, V>) -> ARRAY<V>",
                             type_map(arena, &type_string, ints)), ERR_OK);
    assert_string_equal(result_text(), "ARRAY<ARRAY<INTEGER>>");
    assert_int_equal(RESOLVE("(T) -> INTEGER|(ARRAY<DECIMAL>) -> STRING",
                             type_array(arena, &d42)), ERR_OK);
    assert_int_equal(match.index, 1);
}

static void test_optional_and_variadic(void **state) {
    (void)state;
    const char *substring = "(STRING, INTEGER, [INTEGER]) -> STRING";
    assert_int_equal(RESOLVE(substring, &type_string, &type_int), ERR_OK);
    assert_int_equal(RESOLVE(substring, &type_string, &type_int, &type_int), ERR_OK);
    assert_int_equal(RESOLVE(substring, &type_string), ERR_TYPE);
    assert_int_equal(RESOLVE("(STRING...) -> STRING|(STRING, STRING) -> STRING", &type_string,
                             &type_string), ERR_OK);
    assert_int_equal(match.index, 1);
    assert_int_equal(RESOLVE("(INTEGER, STRING..., BOOLEAN) -> STRING", &type_int, &type_string,
                             &type_string, &type_boolean), ERR_OK);
    assert_int_equal(RESOLVE("(INTEGER, STRING..., BOOLEAN) -> STRING", &type_int, &type_boolean),
                     ERR_OK);
    assert_int_equal(RESOLVE("(INTEGER, STRING..., BOOLEAN) -> STRING", &type_int), ERR_TYPE);
}

static void test_whole_decimal(void **state) {
    (void)state;
    assert_int_equal(RESOLVE("(DECIMAL) -> DECIMAL_WHOLE", &d42), ERR_OK);
    assert_string_equal(result_text(), "DECIMAL(2, 0)");
}

static void test_alternatives_are_listed(void **state) {
    (void)state;
    assert_int_equal(RESOLVE("(INTEGER) -> INTEGER|(STRING, [INTEGER]) -> STRING", &type_boolean,
                             &type_null), ERR_TYPE);
    assert_string_equal(err.message, "Function 'f' does not accept parameters (BOOLEAN, null).\n"
                                     "Valid alternatives are:\nf(INTEGER)\nf(STRING, [INTEGER])");
}

static void test_names(void **state) {
    (void)state;
    FunctionMatch found;
    const Type *types[] = {&type_string};
    assert_int_equal(function_resolve("len", types, 1, arena, &found, &err), ERR_OK);
    assert_string_equal(found.function->name, "LEN");
    assert_ptr_equal(found.function, function_by_signature("LEN", "(STRING) -> INTEGER"));
    assert_int_equal(function_resolve("GEO_DISTANCE", types, 1, arena, &found, &err), ERR_TYPE);
    assert_int_equal(function_resolve("NOPE", types, 1, arena, &found, &err), ERR_UNKNOWN_NAME);
    assert_string_equal(err.message, "Can't find any functions with the name 'NOPE'");
    assert_int_equal(function_is_ksqldb("explode"), FUNCTION_TABLE);
    AggregateMatch aggregate;
    assert_int_equal(aggregate_resolve("sum", types, 1, arena, &aggregate, &err), ERR_TYPE);
    assert_int_equal(aggregate_resolve("COUNT", types, 0, arena, &aggregate, &err), ERR_OK);
    assert_int_equal(aggregate_resolve("TOPK", types, 1, arena, &aggregate, &err), ERR_TYPE);
    assert_true(aggregate_exists("TOPK") && !aggregate_exists("LEN"));
}

/* The table is in order, every row has a kernel and a signature that parses, and a stored plan
 * finds its row again. */
static void test_table(void **state) {
    (void)state;
    const char *previous = "";
    for (uint32_t i = 0; function_at(i); i++) {
        const Function *function = function_at(i);
        assert_true(strcmp(previous, function->name) <= 0);
        previous = function->name;
        assert_non_null(function->kernel);
        assert_true(strlen(function->help) > 0);
        assert_int_equal(function_is_ksqldb(function->name), FUNCTION_SCALAR);
        assert_ptr_equal(function_by_signature(function->name, function->signature), function);
        ErrCode code = resolve(function->signature, NULL, 0);
        assert_true(code == ERR_OK || code == ERR_TYPE);
    }
    previous = "";
    for (uint32_t i = 0; aggregate_at(i); i++) {
        const Aggregate *aggregate = aggregate_at(i);
        assert_true(strcmp(previous, aggregate->name) <= 0);
        previous = aggregate->name;
        assert_ptr_equal(aggregate_by_signature(aggregate->name, aggregate->signature), aggregate);
        ErrCode code = resolve(aggregate->signature, NULL, 0);
        assert_true(code == ERR_OK || code == ERR_TYPE);
    }
}

static void test_table_functions(void **state) {
    (void)state;
    const char *previous = "";
    for (uint32_t i = 0; table_at(i); i++) {
        const TableFunction *table = table_at(i);
        assert_true(strcmp(previous, table->name) <= 0);
        previous = table->name;
        assert_true(table->count && table->values && strlen(table->help) > 0);
        assert_int_equal(function_is_ksqldb(table->name), FUNCTION_TABLE);
        assert_ptr_equal(table_by_signature(table->name, table->signature), table);
    }
    TableMatch found;
    const Type *types[] = {type_array(arena, &type_string)};
    assert_int_equal(table_resolve("explode", types, 1, arena, &found, &err), ERR_OK);
    assert_ptr_equal(found.result, &type_string);
    assert_int_equal(table_resolve("EXPLODE", (const Type *const[]){&type_int}, 1, arena, &found,
                                   &err), ERR_TYPE);
    assert_false(table_exists("ENTRIES"));
}

/* Functions of testing.def are nobody's until they are asked for. */
static void test_testing(void **state) {
    (void)state;
    const Type *types[] = {&type_boolean};
    FunctionMatch found;
    assert_false(function_exists("BAD_UDF") || table_exists("TEST_UDTF"));
    function_enable_testing();
    assert_true(function_exists("BAD_UDF") && table_exists("TEST_UDTF"));
    assert_int_equal(function_resolve("BAD_UDF", types, 1, arena, &found, &err), ERR_OK);
    assert_ptr_equal(found.function, function_by_signature("BAD_UDF", "(BOOLEAN) -> INTEGER"));
}

static void test_structs(void **state) {
    (void)state;
    const TypeField fields[] = {{"A", &type_string}, {"B", type_array(arena, &type_int)}};
    const Type *type = type_struct(arena, fields, 2), *part = type_struct(arena, fields, 1);
    const char *signature = "(STRUCT<A STRING, B ARRAY<T>>) -> STRUCT<B T>";
    assert_int_equal(RESOLVE(signature, type), ERR_OK);
    assert_string_equal(result_text(), "STRUCT<`B` INTEGER>");
    assert_int_equal(RESOLVE(signature, part), ERR_TYPE);
    assert_int_equal(RESOLVE(signature, &type_null), ERR_TYPE); /* T is not told */
    assert_int_equal(RESOLVE("(DECIMAL) -> DECIMAL(30, 10)", &d42), ERR_OK);
    assert_string_equal(result_text(), "DECIMAL(30, 10)");
    assert_ptr_equal(match.cast_types[0], &d42);
}

/* Resolves a call whose second argument is a lambda. */
static ErrCode resolve_lambda(const char *signature, const Type *first, SignatureLambda lambda) {
    const Type *types[] = {first, &type_null};
    const SignatureLambda lambdas[] = {{0, NULL, NULL}, lambda};
    SignatureCall call = {"f", &signature, 1, types, 2, lambdas};
    return signature_resolve(&call, arena, &match, &err);
}

static void test_lambdas(void **state) {
    (void)state;
    const char *signature = "(MAP<K, V>, LAMBDA (K, V) => R) -> ARRAY<R>";
    const Type *map = type_map(arena, &type_string, &type_int);
    const Type *types[] = {map, &type_null}, *params[2];
    SignatureLambda lambdas[] = {{0, NULL, NULL}, {2, NULL, NULL}};
    SignatureCall call = {"f", &signature, 1, types, 2, lambdas};
    assert_int_equal(signature_lambda(&call, 1, arena, params, &err), ERR_OK);
    assert_ptr_equal(params[0], &type_string);
    assert_ptr_equal(params[1], &type_int);
    lambdas[1] = (SignatureLambda){2, params, &type_double};
    assert_int_equal(signature_resolve(&call, arena, &match, &err), ERR_OK);
    assert_string_equal(result_text(), "ARRAY<DOUBLE>");
    assert_ptr_equal(match.cast_types[1], &type_double);
    lambdas[1].param_count = 1;
    assert_int_equal(signature_resolve(&call, arena, &match, &err), ERR_TYPE);
    assert_int_equal(resolve_lambda("(INTEGER, LAMBDA (T) => T) -> T", &type_int,
                                    (SignatureLambda){1, NULL, NULL}), ERR_TYPE);
    assert_int_equal(resolve_lambda("(INTEGER, STRING) -> STRING", &type_int,
                                    (SignatureLambda){1, NULL, NULL}), ERR_TYPE);
    assert_non_null(strstr(err.message, "(INTEGER, LAMBDA)"));
    assert_int_equal(resolve_lambda("(INTEGER, LAMBDA (STRING) => BOOLEAN) -> BYTES", &type_int,
                                    (SignatureLambda){1, params, &type_int}), ERR_TYPE);
    assert_non_null(strstr(err.message, "LAMBDA (STRING) => INTEGER)"));
}

static int setup(void **state) {
    (void)state;
    arena = arena_new("test", 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_before_cast),
        cmocka_unit_test(test_widening),
        cmocka_unit_test(test_null_fits_anything),
        cmocka_unit_test(test_ambiguous_casts),
        cmocka_unit_test(test_generics),
        cmocka_unit_test(test_optional_and_variadic),
        cmocka_unit_test(test_whole_decimal),
        cmocka_unit_test(test_alternatives_are_listed),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_functions),
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_lambdas),
        cmocka_unit_test(test_testing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
