// Embeds one text, given as token ids, with the C interface.
//
//     cc examples/embed.c -I runtime/include -L target/release -ltilewright_runtime -o embed
//     LD_LIBRARY_PATH=target/release ./embed minilm.tw 101 7592 2088 102
//
// Ids come from the command line, or, if there are none, from standard input. The artifact is for one length of
// text: shorter ones are filled up with zeros, which the attention mask hides.

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tilewright.h"

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, tw_last_error());
    return 1;
}

// Elements of an input or output of this rank and shape.
static size_t elements(size_t rank, const size_t *shape) {
    size_t n = 1;
    for (size_t i = 0; i < rank; i++) n *= shape[i];
    return n;
}

// Fills the input of this name, if the model has it, with `values`; 0 if that went well.
static int set_ids(tw_model *model, const char *name, const int64_t *values, size_t count) {
    for (size_t i = 0; i < tw_input_count(model); i++) {
        if (strcmp(tw_input_name(model, i), name) != 0) continue;
        size_t rank = tw_input_rank(model, i), n = elements(rank, tw_input_shape(model, i));
        if (count > n) {
            fprintf(stderr, "%s: %zu ids, the artifact takes at most %zu\n", name, count, n);
            return 1;
        }
        int64_t *all = calloc(n ? n : 1, sizeof *all);
        if (all == NULL) return 1;
        memcpy(all, values, count * sizeof *all);
        int status = tw_set_input(model, name, TW_I64, tw_input_shape(model, i), rank, all);
        free(all);
        return status == 0 ? 0 : fail(name);
    }
    return 0;
}

int main(int argc, char **argv) {
    enum { MOST = 65536 };
    static int64_t ids[MOST], mask[MOST];
    size_t count = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s ARTIFACT [ID]...\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc && count < MOST; i++) ids[count++] = strtoll(argv[i], NULL, 10);
    for (long long id; argc == 2 && count < MOST && scanf("%lld", &id) == 1;) ids[count++] = id;
    for (size_t i = 0; i < count; i++) mask[i] = 1;

    tw_model *model = tw_load(argv[1], 0);
    if (model == NULL) return fail("load");
    if (set_ids(model, "input_ids", ids, count) || set_ids(model, "attention_mask", mask, count)) return 1;
    if (tw_run(model) != 0) return fail("run");

    // The embedding of the text if the model has one, else the first output.
    size_t out = 0;
    for (size_t i = 0; i < tw_output_count(model); i++)
        if (strcmp(tw_output_name(model, i), "sentence_embedding") == 0) out = i;
    size_t rank = tw_output_rank(model, out);
    const float *values = tw_output_data(model, out);
    if (tw_output_dtype(model, out) != TW_F32 || rank == 0) {
        fprintf(stderr, "%s: wanted f32 with at least one axis\n", tw_output_name(model, out));
        return 1;
    }
    size_t width = tw_output_shape(model, out)[rank - 1];
    double squares = 0;
    for (size_t i = 0; i < width; i++) squares += (double)values[i] * values[i];
    printf("%s: norm %.6f, first values", tw_output_name(model, out), sqrt(squares));
    for (size_t i = 0; i < width && i < 4; i++) printf(" %.6f", values[i]);
    printf("\n");
    tw_free(model);
    return 0;
}
