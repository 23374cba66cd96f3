/*
 * fuzz_json.c - any bytes as JSON records; see fuzz_format.h for what must hold.
 */
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_format(&format_json, 3, data, size);
    return 0;
}
