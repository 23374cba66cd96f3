/*
 * deadly.c - a user's function that ends its own process at 13: the poison of tests/cli/poison.py
 * and tests/kafka/poison.py.
 */
#include <signal.h>
#include "udf/weir_udf.h"
static void deadly(const WeirUdfCall *call) {
    const int32_t *x = call->args[0].data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (x[call->rows[i]] == 13)
            raise(SIGKILL);
        ((int32_t *)call->result.data)[call->rows[i]] = x[call->rows[i]];
        weir_udf_set_present(call, call->rows[i]);
    }
}
WEIR_UDF_EXPORT const WeirUdf deadly_int = {
    .abi = WEIR_UDF_ABI, .signature = "(INTEGER) -> INTEGER", .call = deadly};
