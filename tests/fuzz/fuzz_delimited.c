/*
 * fuzz_delimited.c - any bytes as DELIMITED records; see fuzz_format.h for what must hold.
 */
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format(&format_delimited, 0, data, size);
    return 0;
}
