/* Runs a fuzz driver over the files that are named to it: the committed inputs are tried where there is no libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Above every limit of length in run.sh. */
enum { MOST_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is put into a block of its own size, so that the sanitiser sees a read past its end. */
static int replay(const char *path) {
    static uint8_t bytes[MOST_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    int is_whole = !ferror(file) && size < sizeof bytes;
    uint8_t *input = malloc(size > 0 ? size : 1);
    if (is_whole && input != NULL) {
        for (size_t i = 0; i < size; i++) input[i] = bytes[i];
        LLVMFuzzerTestOneInput(input, size);
    }
    int is_done = is_whole && input != NULL;
    free(input);
    return fclose(file) == 0 && is_done;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!replay(argv[i])) {
            fprintf(stderr, "cannot take %s\n", argv[i]);
            return 1;
        }
    }
    printf("%d inputs, no fault\n", argc - 1);
    return 0;
}
