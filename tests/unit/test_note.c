/* test_note.c - what a process leaves that ends in a record, and what the next one makes of it. */
#include "runtime/note.h"

#include "base/io_mem.h"
#include "tests/unit/query_bench.h"

static const char note_path[] = "/data/running";

/* -- The file alone --------------------------------------------------------------------------- */

static Io *new_disk(void) {
    Io *io = io_mem_new();
    CHECK_OK(io->ops->make_folder(io, "/data", err));
    return io;
}

static Note *open_note(Io *io) {
    Note *note;
    CHECK_OK(note_open(io, note_path, &note, err));
    return note;
}

static NoteRows rows_of(uint32_t task_id, int64_t offset, uint32_t count) {
    return (NoteRows){task_id, count, {7, 2}, offset};
}

/* The process ends while worker 3 is at these rows. */
static void end_in(Io *io, NoteRows rows, bool alone) {
    Note *note = open_note(io);
    note_begin(note_slot(note, 3), &rows, alone);
    note_close(note);
}

static void end_and_end_again(void **state) {
    (void)state;
    Io *io = new_disk();
    NoteRows rows;
    end_in(io, rows_of(11, 500, 20), false);
    Note *note = open_note(io);
    assert_false(note_suspect(note, 12, 5, &rows));
    assert_true(note_suspect(note, 10, 2, &rows));
    assert_int_equal(rows.task_id, 11);
    assert_int_equal(rows.rows, 20);
    assert_int_equal(rows.offset, 500);
    assert_int_equal(rows.where.topic_id, 7);
    assert_int_equal(rows.where.partition, 2);
    assert_false(note_quarantined(note, 10, 2, &rows));
    note_close(note);
    end_in(io, rows_of(11, 507, 1), true); /* and it is a suspect no more: it was not in a row */
    for (int i = 0; i < 3; i++) {
        note = open_note(io); /* whoever opens it, and how often */
        assert_false(note_suspect(note, 10, 2, &rows));
        assert_true(note_quarantined(note, 10, 2, &rows));
        assert_int_equal(rows.offset, 507);
        note_close(note);
    }
    note = open_note(io);
    note_release(note, 10, 2);
    note_close(note);
    note = open_note(io);
    assert_false(note_quarantined(note, 10, 2, &rows));
    note_close(note);
    io_mem_free(io);
}

static void ends_between_rows_leave_nothing(void **state) {
    (void)state;
    Io *io = new_disk();
    Note *note = open_note(io);
    NoteRows rows = rows_of(11, 1, 1);
    note_begin(note_slot(note, 0), &rows, true);
    note_end(note_slot(note, 0));
    assert_null(note_slot(note, NOTE_SLOTS));
    assert_null(note_slot(NULL, 0));
    note_begin(NULL, &rows, true);
    note_end(NULL);
    note_close(note);
    note = open_note(io);
    assert_false(note_suspect(note, 1, 100, &rows));
    assert_false(note_quarantined(note, 1, 100, &rows));
    assert_false(note_quarantined(NULL, 1, 100, &rows));
    note_close(note);
    io_mem_free(io);
}

/* More than fit: the oldest go. */
static void many_quarantines(void **state) {
    (void)state;
    Io *io = new_disk();
    NoteRows rows;
    for (uint32_t i = 0; i < NOTE_ENTRIES + 5; i++)
        end_in(io, rows_of(100 + i, i, 1), true);
    end_in(io, rows_of(100 + NOTE_ENTRIES, 77, 1), true); /* the same task again takes no room */
    Note *note = open_note(io);
    for (uint32_t i = 0; i < NOTE_ENTRIES + 5; i++)
        assert_int_equal(note_quarantined(note, 100 + i, 1, &rows), i >= 5);
    assert_true(note_quarantined(note, 100 + NOTE_ENTRIES, 1, &rows));
    assert_int_equal(rows.offset, 77);
    note_close(note);
    io_mem_free(io);
}

/* Any bit that turns is seen, or makes no difference. */
static void damage_is_not_believed(void **state) {
    (void)state;
    for (uint64_t bit = 0; bit < IO_MAP_BYTES * 8; bit += 7) {
        Io *io = new_disk();
        end_in(io, rows_of(11, 500, 1), true);
        end_in(io, rows_of(12, 600, 9), false);
        assert_true(io_mem_flip(io, note_path, bit / 8, (unsigned)(bit % 8)));
        Note *note = open_note(io);
        NoteRows rows;
        if (note_quarantined(note, 1, 1000, &rows))
            assert_int_equal(rows.offset, 500);
        if (note_suspect(note, 1, 1000, &rows))
            assert_int_equal(rows.offset, 600);
        note_close(note);
        io_mem_free(io);
    }
}

/* Power fails: sectors of the page are lost, torn or garbage. */
static void power_cuts(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        Io *io = new_disk();
        CHECK_OK(io->ops->sync_folder(io, "/", err));
        io_mem_start_faults(io, seed);
        for (uint32_t i = 0; i < 6; i++)
            end_in(io, rows_of(10 + i, i, 1), i % 2);
        io_mem_crash(io, seed, NULL);
        CHECK_OK(io->ops->make_folder(io, "/data", err));
        Note *note = open_note(io);
        NoteRows rows;
        for (uint32_t i = 0; i < 6; i++)
            if (note_quarantined(note, 10 + i, 1, &rows))
                assert_int_equal(rows.offset, i);
        note_close(note);
        io_mem_free(io);
    }
}

/* -- In a query ------------------------------------------------------------------------------- */

/* SELECT K, V FROM S over one partition. */
static void open_bench(Bench *bench) {
    bench_begin(bench, 8);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT", false);
    bench_sink(bench, source, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
    CHECK_OK(bench->io->ops->make_folder(bench->io, "/note", err));
}

/* The process ended in these rows of S, and begins anew. */
static Note *begin_anew(Bench *bench, int64_t offset, uint32_t rows, bool alone) {
    Note *note;
    if (bench->query)
        bench_stop(bench);
    runtime_free(bench->runtime);
    CHECK_OK(note_open(bench->io, "/note/running", &note, err));
    note_begin(note_slot(note, 0),
               &(NoteRows){bench->first_id, rows, {bench_topic_id(bench, "S"), 0}, offset}, alone);
    note_close(note);
    CHECK_OK(note_open(bench->io, "/note/running", &note, err));
    bench->options.note = note;
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
    return note;
}

static void put_rows(Bench *bench, int from, int to) {
    for (int i = from; i < to; i++) {
        char value[32];
        snprintf(value, sizeof value, "{\"V\":%d}", i);
        bench_put(bench, "S", 0, "\"k\"", value, i);
    }
}

static int64_t rows_out(Bench *bench) {
    int64_t start, end;
    CHECK_OK(log_offsets(bench->storage, (TopicPartition){bench_topic_id(bench, "OUT"), 0}, &start,
                         &end, err));
    return end;
}

static void end_bench(Bench *bench, Note *note) {
    bench_stop(bench);
    runtime_free(bench->runtime);
    bench->runtime = NULL;
    note_close(note);
    bench_end(bench);
}

static void suspects_go_on(void **state) {
    (void)state;
    Bench bench;
    open_bench(&bench);
    put_rows(&bench, 0, 40);
    Note *note = begin_anew(&bench, 10, 8, false);
    assert_true(query_is_suspect(bench.runtime, &bench.plan, bench.first_id, bench.partitions));
    assert_false(query_is_suspect(bench.runtime, &bench.plan, bench.first_id + 100, 1));
    bench_start(&bench);
    CHECK_OK(query_await_trial(bench.query, 1000, err));
    assert_int_equal(rows_out(&bench), 40);
    put_rows(&bench, 40, 50);
    bench_pump(&bench);
    assert_int_equal(rows_out(&bench), 50);
    QueryStop stop;
    query_stopped_at(bench.query, &stop);
    assert_false(stop.known);
    end_bench(&bench, note);
}

/* rows 0: it ended while it read. */
static void stops_at(uint32_t rows, int64_t offset) {
    Bench bench;
    open_bench(&bench);
    put_rows(&bench, 0, 40);
    Note *note = begin_anew(&bench, offset, rows, true);
    for (int turn = 0; turn < 2; turn++) { /* it stays so */
        bench_start(&bench);
        CHECK_OK(query_await_trial(bench.query, 1000, err));
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.state, QUERY_ERROR);
        assert_non_null(strstr(figures.error.message, "the process ended twice while this query"));
        assert_string_equal(query_error_type(figures.error.code), "UNKNOWN");
        QueryStop stop;
        query_stopped_at(bench.query, &stop);
        assert_true(stop.known);
        assert_int_equal(stop.offset, offset);
        assert_string_equal(stop.topic, "S");
        assert_int_equal(rows_out(&bench), offset); /* all before it is there */
        bench_stop(&bench);
    }
    query_release(bench.runtime, &bench.plan, bench.first_id, bench.partitions);
    bench_start(&bench);
    bench_pump(&bench);
    assert_int_equal(rows_out(&bench), 40);
    end_bench(&bench, note);
}

static void quarantine_is_exact(void **state) {
    (void)state;
    stops_at(1, 17);
    stops_at(1, 0);
    stops_at(1, 39);
}

static void quarantine_of_what_cannot_be_read(void **state) {
    (void)state;
    stops_at(0, 16);
    stops_at(0, 0);
}

/* Rows that are behind it, of another topic, or not there (a power cut took them). */
static void old_notes_do_nothing(void **state) {
    (void)state;
    static const int64_t offsets[] = {3, 19, 500, INT64_MAX, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (uint32_t rows = 0; rows < 3; rows++) {
            Bench bench;
            open_bench(&bench);
            put_rows(&bench, 0, 20);
            bench_start(&bench);
            bench_pump(&bench);
            Note *note = begin_anew(&bench, offsets[i], rows, i % 2);
            bench_start(&bench);
            CHECK_OK(query_await_trial(bench.query, 1000, err));
            put_rows(&bench, 20, 40);
            bench_pump(&bench);
            assert_int_equal(rows_out(&bench), 40);
            NoteRows left;
            assert_false(note_quarantined(note, bench.first_id, 1, &left));
            end_bench(&bench, note);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_and_end_again),
        cmocka_unit_test(ends_between_rows_leave_nothing),
        cmocka_unit_test(many_quarantines),
        cmocka_unit_test(damage_is_not_believed),
        cmocka_unit_test(power_cuts),
        cmocka_unit_test(suspects_go_on),
        cmocka_unit_test(quarantine_is_exact),
        cmocka_unit_test(quarantine_of_what_cannot_be_read),
        cmocka_unit_test(old_notes_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
