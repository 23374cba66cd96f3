# Weir. `make` builds build/release/weir; `make demo` shows it; `make check` runs every test.
# One Makefile, no recursion: the whole dependency graph is on these screens.

# == Settings: override on the command line, e.g. make MODE=debug CC=clang ======================

ifeq ($(origin CC),default)
CC     = gcc
endif
MODE   ?= release# release | debug (ASan+UBSan) | hostile (debug with every limit shrunk) | fuzz
PREFIX ?= /usr/local
N      ?=# how many cases a proof runs; each proof has its own default
SEED   ?= 1
FAULTS ?=# how many faults prove-kafka-eos sends
RDKAFKA ?=# a version of librdkafka, or newer: kafka-test and prove-kafka-... run with it
T      ?=# seconds that a fuzzer runs

# Assertions stay on in every mode. x86-64 baseline: faster kernels are chosen when we start.
CFLAGS_release = -O2 -g -fno-strict-aliasing -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS_debug   = -Og -g -fno-strict-aliasing -fno-omit-frame-pointer -DDEBUG_FILL \
                 -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_hostile = $(CFLAGS_debug) -DHOSTILE_LIMITS
CFLAGS_fuzz    = -O1 -g -fno-strict-aliasing -fno-omit-frame-pointer \
                 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wimplicit-fallthrough -Werror

# What the binary links, and what only the tests and benchmarks need (Debian's package names).
DEPS       = gcc make pkg-config libc6-dev lemon re2c libjansson-dev libxxhash-dev \
             libutf8proc-dev librdkafka-dev libpcre2-dev liblua5.4-dev libmd-dev tzdata
DEPS_CHECK = clang libclang-rt-14-dev libgmp-dev libcmocka-dev python3 python3-pexpect spin \
             python3-pyte sqlite3 libsimdjson-dev g++ git

LIBS       = -ljansson -lutf8proc -lpcre2-8 -llua5.4 -lmd -lrdkafka -lm -lpthread
LIBS_CHECK = -lcmocka

# == Folders, lowest first. tests/layers.txt says who may include whom ===========================

LIB_DIRS = base data udf grammar storage kafka planner runtime engine

# == Nothing below needs changing to add a file ==================================================

BUILD = build/$(MODE)
GEN   = build/generated
SHARED ?= $(wildcard ../shared)

LIB_SRC  = $(wildcard $(addsuffix /*.c,$(LIB_DIRS)))
GEN_SRC  = $(GEN)/grammar/sql_grammar.c $(GEN)/grammar/sql_lexer.c
LIB_OBJ  = $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN_SRC:build/%.c=$(BUILD)/%.o)
CLI_SRC  = $(wildcard cli/*.c)
CLI_OBJ  = $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC = $(wildcard tests/unit/test_*.c)
UNIT_BIN = $(UNIT_SRC:%.c=$(BUILD)/%)
TOOL_SRC = $(wildcard tests/tools/*.c)
TOOL_BIN = $(TOOL_SRC:%.c=$(BUILD)/%)
FUZZ_BIN = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
INTERP   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/interp/*.c))
EMBED    = $(BUILD)/examples/embed/embed
HEADERS  = $(wildcard $(addsuffix /*.h,$(LIB_DIRS) cli))
OURS     = $(wildcard $(addsuffix /*.[ch],$(LIB_DIRS) cli tests/* examples/* bench))

COMPILE = $(CC) -std=c11 -I. -I$(GEN) -D_GNU_SOURCE $(CFLAGS_$(MODE)) $(CFLAGS) -MMD -MP

.PHONY: print-libs all lib deps deps-check deps-kafka demo demo-kafka test unit sql cli-test kafka-test examples run-embed check tidy install clean prove
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/weir

lib: $(BUILD)/libweir.a

$(BUILD)/libweir.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/weir: $(CLI_OBJ) $(BUILD)/libweir.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS_$(MODE)) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) $(WARNINGS) -c $< -o $@

# Generated code is compiled without our warnings.
$(BUILD)/generated/%.o: build/generated/%.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) -w -c $< -o $@

$(GEN)/grammar/sql_grammar.c: grammar/sql_grammar.y grammar/sql_expression.y
	@mkdir -p $(@D)
	@cat $^ > $(@D)/sql_grammar.y
	lemon -q -c -d$(@D) $(@D)/sql_grammar.y
	@touch $(@D)/sql_grammar.h # lemon leaves an equal one as it is

$(GEN)/grammar/sql_grammar.h: $(GEN)/grammar/sql_grammar.c ;

$(GEN)/grammar/sql_lexer.c: grammar/sql_lexer.re $(GEN)/grammar/sql_grammar.h
	@mkdir -p $(@D)
	re2c -W --no-debug-info -o $@ $<

$(LIB_OBJ): | $(GEN)/grammar/sql_grammar.h

# Fuzz targets: under libFuzzer (MODE=fuzz CC=clang), or over files that are named.
FUZZ_MAIN = $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer,tests/fuzz/replay.c)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) -MF $@.d $(WARNINGS) -o $@ $< $(FUZZ_MAIN) $(BUILD)/libweir.a $(LIBS)

$(BUILD)/tests/%: tests/%.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) $(WARNINGS) -o $@ $< $(filter %.o,$^) $(BUILD)/libweir.a $(LIBS) $(LIBS_CHECK)

# The interpreter sees every row error: the tool puts itself between batches and their RowErrors.
WRAPPED = $(BUILD)/tests/tools/prove_expressions $(BUILD)/tests/unit/test_expr_interp
$(WRAPPED): $(INTERP)
$(WRAPPED): LIBS_CHECK += -lgmp -Wl,--wrap=row_errors_add

$(BUILD)/examples/%: examples/%.c $(BUILD)/libweir.a
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) $(WARNINGS) -o $@ $< $(BUILD)/libweir.a $(LIBS)

# A shared object as users make them: no flag of ours.
$(BUILD)/examples/udf/%.so: examples/udf/%.c udf/weir_udf.h
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) -std=c11 -I. -O2 -fPIC -shared $(WARNINGS) -o $@ $<

$(BUILD)/tests/unit/test_native: $(BUILD)/examples/udf/geo.so

# == Set-up ======================================================================================

deps:
	@sh tests/deps.sh $(DEPS)

deps-check: deps
	@sh tests/deps.sh $(DEPS_CHECK)

# For tests over a real Kafka; they are skipped where it cannot be had.
deps-kafka: deps
	@sh tests/kafka/deps.sh

# Texts made from the tables of the code (cli/manual.c): the language, the manual page, completion.
MANUALS = sql functions settings extensions datagen

docs: $(BUILD)/weir
	@mkdir -p build/docs
	@for name in $(MANUALS); do $< manual $$name > build/docs/$$name.md || exit 1; done
	@$< manual man > build/docs/weir.1
	@$< manual bash > build/docs/weir.bash
	@$< manual zsh > build/docs/_weir

install: $(BUILD)/weir docs
	install -D -m 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -D -m 644 build/docs/weir.1 $(DESTDIR)$(PREFIX)/share/man/man1/weir.1
	install -D -m 644 build/docs/weir.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/weir
	install -D -m 644 build/docs/_weir $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_weir
	for name in $(MANUALS); do install -D -m 644 build/docs/$$name.md \
	    $(DESTDIR)$(PREFIX)/share/doc/weir/$$name.md || exit 1; done
	install -D -m 644 engine/weir.h $(DESTDIR)$(PREFIX)/include/weir.h
	install -D -m 644 udf/weir_udf.h $(DESTDIR)$(PREFIX)/include/udf/weir_udf.h

# == Showing and proving =========================================================================

demo: deps
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@sh examples/flights/demo.sh $(BUILD)/weir

# The same over a real Kafka, which it starts (Java 17; Kafka's jars by Maven).
demo-kafka: deps-kafka
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@bash examples/flights/demo_kafka.sh $(BUILD)/weir

# make example-NAME: statements and answers of examples/NAME.
example-%: $(BUILD)/weir
	@sh examples/run.sh $(BUILD)/weir $*

# All of them give what they promise, also when they are killed.
examples: $(BUILD)/weir
	@python3 tests/examples.py $(BUILD)/weir

# The quick loop: under a minute.
test: unit sql

unit: $(UNIT_BIN)
	@sh tests/run_unit.sh $(UNIT_BIN)

sql: $(BUILD)/weir
	@$(BUILD)/weir test tests/sql

# The command as people use it: pipes, files, signals, a terminal.
cli-test: $(BUILD)/weir
	@python3 tests/cli/run.py $(BUILD)/weir
	@python3 tests/cli/copies.py $(BUILD)/weir
	@python3 tests/cli/shell.py $(BUILD)/weir
	@python3 tests/cli/topics.py $(BUILD)/weir
	@python3 tests/cli/observe.py $(BUILD)/weir
	@python3 tests/cli/poison.py $(BUILD)/weir
	@python3 tests/cli/errors.py $(BUILD)/weir

# Over real brokers, one for each file of tests, or it says what is missing for that. They wait more
# than they work: -j2 is worth it.
KAFKA_TESTS = run trouble several edge shell writers poison interop

kafka-test: $(KAFKA_TESTS:%=kafka-test-%)

kafka-test-%: tests/kafka/%.py deps-kafka $(BUILD)/weir $(BUILD)/tests/kafka/client \
              $(BUILD)/tests/kafka/reader
	@RDKAFKA='$(RDKAFKA)' tests/kafka/with python3 $< $(BUILD)/weir

run-embed: $(EMBED)
	@$(EMBED) > build/embed.out && grep -q 'TOTAL=7  GAMES=2' build/embed.out

check: deps-check
	@bash tests/check.sh

# Style is a test: layering, self-contained headers, long functions, ignored errors.
tidy: $(GEN_SRC) $(GEN)/grammar/sql_grammar.h
	@awk -f tests/layers.awk tests/layers.txt $(OURS)
	@awk -f tests/tidy.awk $(OURS)
	@for h in $(HEADERS); do \
	    $(CC) -std=c11 -I. -I$(GEN) -D_GNU_SOURCE $(WARNINGS) -fsyntax-only -x c $$h || exit 1; done
	@gcc -std=c2x -I. -I$(GEN) -D_GNU_SOURCE -Werror=unused-result -fsyntax-only $(LIB_SRC) $(CLI_SRC)
	@echo "tidy: $(words $(OURS)) files"

prove:
	@for p in tests/prove/*.sh; do \
	    printf 'make prove-%-10s %s\n' "$$(basename $$p .sh)" "$$(sed -n '2s/^# //p' $$p)"; done

prove-kafka-%: tests/prove/kafka-%.sh deps-kafka
	@N='$(N)' SEED='$(SEED)' FAULTS='$(FAULTS)' RDKAFKA='$(RDKAFKA)' tests/kafka/with bash $<

prove-model: deps-check

prove-%: tests/prove/%.sh
	@N='$(N)' SEED='$(SEED)' FAULTS='$(FAULTS)' RDKAFKA='$(RDKAFKA)' tests/kafka/with bash $<

fuzz-%: tests/fuzz/fuzz_%.c
	@T='$(T)' bash tests/fuzz/fuzz.sh $*

bench-kafka: deps-kafka

bench-%: bench/%.sh $(BUILD)/weir
	@bash $<

# For programs that are compiled outside: bench/.
print-libs:
	@echo $(LIBS)

clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(INTERP:.o=.d) $(UNIT_BIN:=.d) $(TOOL_BIN:=.d) $(FUZZ_BIN:=.d) $(EMBED).d
