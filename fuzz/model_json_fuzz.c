// SPDX-License-Identifier: MIT
//
// model_json_fuzz.c -- a file of models from anywhere: read, and what was read compiled. One
// thread.
#include "orm/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const corm_model *const *models;
    corm_error               err = { 0 };
    corm_str                 json = { (const char *)data, size };
    if (corm_models_parse(json, &models, &err) != CORM_OK) return 0;
    for (int i = 0; models[i]; i++) {
        orm_model *compiled;
        if (orm__compile(models[i], &compiled, &err) == CORM_OK) orm__model_free(compiled);
    }
    corm_models_free(models);
    return 0;
}
