/*
 * test_native.c - functions in C: from SQL to the shared object and back, and what is refused.
 *
 * The library is examples/udf/geo.c, built beside this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/weir.h"

static char folder[64];
static char library[512]; /* geo.so, as it was built */
static Weir *weir;
static WeirError error;

static bool run(const char *sql) {
    return weir_execute(weir, sql, NULL, &error) == WEIR_OK;
}

#define OK(sql)                             \
    do {                                    \
        if (!run(sql))                      \
            fail_msg("%s: %s", (sql), error.message); \
    } while (0)

static void refused(const char *sql, const char *text) {
    if (run(sql))
        fail_msg("%s was accepted", sql);
    if (!strstr(error.message, text))
        fail_msg("%s\n  wanted %s\n  got %s", sql, text, error.message);
}

static void in_folder(char *path, size_t size, const char *name) {
    snprintf(path, size, "%s/%s", folder, name);
}

static void copy(const char *from, const char *name, mode_t mode) {
    char path[512], bytes[1 << 16];
    in_folder(path, sizeof path, name);
    FILE *source = fopen(from, "rb"), *target = fopen(path, "wb");
    assert_non_null(source);
    assert_non_null(target);
    size_t size = fread(bytes, 1, sizeof bytes, source);
    assert_true(size > 0 && size < sizeof bytes);
    assert_int_equal(fwrite(bytes, 1, size, target), size);
    fclose(source);
    fclose(target);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state) {
    (void)state;
    WeirOptions options = {.workers = 1, .udf_dir = folder};
    return weir_open(NULL, &options, &weir, &error) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    weir_close(weir);
    return 0;
}

/* Before anything else: once a folder is said, it is the process's. */
static void test_off_by_default(void **state) {
    (void)state;
    WeirOptions options = {.workers = 1};
    assert_int_equal(weir_open(NULL, &options, &weir, &error), WEIR_OK);
    refused("CREATE FUNCTION total(xs ARRAY<INT>) RETURNS BIGINT LANGUAGE C AS 'geo.so', 'total';",
            "Functions in C are off");
    refused("SET 'weir.udf.dir' = '/tmp';", "is said when Weir is started");
    weir_close(weir);
    options.udf_dir = "/nonexistent/folder";
    assert_int_equal(weir_open(NULL, &options, &weir, &error), WEIR_FAILED);
    assert_non_null(strstr(error.message, "cannot be opened"));
    assert_int_equal(chmod(folder, 0777), 0);
    options.udf_dir = folder;
    assert_int_equal(weir_open(NULL, &options, &weir, &error), WEIR_FAILED);
    assert_non_null(strstr(error.message, "writable by nobody else"));
    assert_int_equal(chmod(folder, 0755), 0);
}

static void test_calls(void **state) {
    (void)state;
    OK("CREATE FUNCTION geohash(lat DOUBLE, lon DOUBLE, digits INT) RETURNS STRING LANGUAGE C AS "
       "'geo.so', 'geohash';");
    OK("CREATE FUNCTION total(xs ARRAY<INT>) RETURNS BIGINT LANGUAGE C AS 'geo.so', 'total';");
    OK("CREATE STREAM s (k STRING KEY, lat DOUBLE, lon DOUBLE, d INT, xs ARRAY<INT>) WITH "
       "(KAFKA_TOPIC='s', VALUE_FORMAT='JSON');");
    OK("CREATE STREAM o AS SELECT k, geohash(lat, lon, d) AS g, total(xs) AS t FROM s;");
    OK("INSERT INTO s VALUES ('a', 57.64911, 10.40744, 11, ARRAY[1, 2, 3]);");
    OK("INSERT INTO s VALUES ('b', 99, 0, 5, NULL);");
    OK("INSERT INTO s (k, lat, lon) VALUES ('c', 1, 2);");
    OK("INSERT INTO s VALUES ('d', 48.669, -4.329, 5, ARRAY[7]);");
    static const char *const wanted[][2] = {
        {"u4pruydqqvj", "6"}, {"NULL", "0"}, {"NULL", "0"}, {"gbsuv", "7"}};
    WeirResult *result;
    assert_int_equal(weir_execute(weir, "SET 'auto.offset.reset' = 'earliest';"
                                        "SELECT g, t FROM o EMIT CHANGES LIMIT 4;",
                                  &result, &error), WEIR_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(weir_next(result, -1, &error), WEIR_ROW);
        const char *g = weir_text(result, 0);
        assert_string_equal(g ? g : "NULL", wanted[i][0]);
        assert_string_equal(weir_text(result, 1), wanted[i][1]);
    }
    weir_result_free(result);
    refused("DROP FUNCTION total;", "CSAS_O_0");
}

static void test_refused(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"../geo.so", "is no name of a library"},
        {"/tmp/geo.so", "is no name of a library"},
        {"a/geo.so", "is no name of a library"},
        {".", "is no name of a library"},
        {".hidden.so", "is no name of a library"},
        {"", "is no name of a library"},
        {"link.so", "it is a link"},
        {"open.so", "writable by nobody else"},
        {"dir.so", "plain file"},
        {"pipe.so", "plain file"},
        {"text.so", "cannot be loaded"},
        {"none.so", "No such file"},
    };
    char path[512], sql[512];
    copy(library, "open.so", 0666);
    in_folder(path, sizeof path, "link.so");
    assert_int_equal(symlink("geo.so", path), 0);
    in_folder(path, sizeof path, "dir.so");
    assert_int_equal(mkdir(path, 0755), 0);
    in_folder(path, sizeof path, "pipe.so");
    assert_int_equal(mkfifo(path, 0644), 0);
    in_folder(path, sizeof path, "text.so");
    FILE *text = fopen(path, "w");
    assert_non_null(text);
    fputs("no library", text);
    fclose(text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(sql, sizeof sql, "CREATE FUNCTION f(xs ARRAY<INT>) RETURNS BIGINT LANGUAGE C AS "
                                  "'%s', 'total';", names[i][0]);
        refused(sql, names[i][1]);
    }
    refused("CREATE FUNCTION f(xs ARRAY<INT>) RETURNS BIGINT LANGUAGE C AS 'geo.so', 'none';",
            "has no symbol none");
    refused("CREATE FUNCTION f(xs ARRAY<INT>) RETURNS INT LANGUAGE C AS 'geo.so', 'total';",
            "is (ARRAY<INTEGER>) -> BIGINT, but the function is declared as (ARRAY<INTEGER>) -> "
            "INTEGER");
    refused("CREATE FUNCTION f(x INT) RETURNS ARRAY<INT> LANGUAGE C AS 'geo.so', 'total';",
            "cannot return");
    refused("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE C AS 'geo.so';", "two texts");
}

int main(int argc, char **argv) {
    (void)argc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_by_default),
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    const char *slash = strrchr(argv[0], '/');
    snprintf(library, sizeof library, "%.*s/../../examples/udf/geo.so",
             slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
    snprintf(folder, sizeof folder, "/tmp/weir-native-");
    memset(folder + strlen(folder), 'X', 6);
    if (!mkdtemp(folder))
        return 1;
    copy(library, "geo.so", 0755);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[600];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? failed : 1;
}
