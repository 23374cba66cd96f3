/*
 * replay.c - runs a fuzz target over files and folders: what `make check` does with the seeds.
 *
 * usage: fuzz_NAME PATH...
 *
 * In builds for fuzzing libFuzzer's own main() stands here. The last line is "N passed, 0 failed":
 * an input that fails ends the process.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replay_file(const char *path, FILE *file) {
    size_t room = 1 << 20;
    uint8_t *data = malloc(room);
    if (!data)
        abort();
    size_t size = fread(data, 1, room, file);
    uint8_t *exact = realloc(data, size > 0 ? size : 1); /* reading on behind its end is seen */
    if (!exact)
        abort();
    printf("%s\n", path); /* the last one is at fault */
    fflush(stdout);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static unsigned replay(const char *path) {
    unsigned count = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        FILE *file = fopen(path, "rb");
        if (!file) {
            fprintf(stderr, "%s cannot be read\n", path);
            exit(1);
        }
        count = replay_file(path, file);
        fclose(file);
        return count;
    }
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += replay(name);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%u passed, 0 failed\n", count);
    return count == 0;
}
