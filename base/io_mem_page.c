/*
 * io_mem_page.c - the pages of files in memory.
 *
 * They come in slabs that double with their file up to SLAB_PAGES_MAX, so that a file of megabytes
 * asks the system for memory a few times (each time stops every thread that does the same), and a
 * small one takes no more than it holds. Dropped pages wait in their file for its next ones; all
 * memory goes with the file.
 */
#include <assert.h>

#include "base/io_mem_impl.h"
#include "base/mem.h"

enum { SLAB_PAGES_MAX = 64 };

struct MemSlab {
    MemSlab *next;
    size_t page_count, used;
    _Alignas(16) uint8_t pages[];
};

/* A page that waits. */
struct MemFreePage {
    MemFreePage *next;
};

void io_mem_pages_reserve(MemFile *file, uint64_t count) {
    assert(count <= SIZE_MAX / sizeof *file->pages);
    if (count <= file->page_count)
        return;
    size_t grown = file->page_count * 2 > count ? file->page_count * 2 : (size_t)count;
    if (grown < 4)
        grown = 4;
    file->pages = mem_resize(file->pages, grown * sizeof *file->pages);
    memset(file->pages + file->page_count, 0, (grown - file->page_count) * sizeof *file->pages);
    file->page_count = grown;
}

static void slab_add(MemFile *file) {
    size_t count = file->slabs ? file->slabs->page_count * 2 : 1;
    if (count > SLAB_PAGES_MAX)
        count = SLAB_PAGES_MAX;
    MemSlab *slab = mem_resize(NULL, sizeof *slab + count * MEM_PAGE);
    slab->next = file->slabs;
    slab->page_count = count;
    slab->used = 0;
    file->slabs = slab;
}

uint8_t *io_mem_page_add(MemFile *file, uint64_t page) {
    assert(page < file->page_count && !file->pages[page]);
    uint8_t *made = (uint8_t *)file->free_pages;
    if (made) {
        file->free_pages = file->free_pages->next;
    } else {
        if (!file->slabs || file->slabs->used == file->slabs->page_count)
            slab_add(file);
        made = file->slabs->pages + file->slabs->used++ * MEM_PAGE;
    }
    file->pages[page] = made;
    return made;
}

void io_mem_page_drop(MemFile *file, uint64_t page) {
    assert(page < file->page_count);
    MemFreePage *dropped = (MemFreePage *)(void *)file->pages[page];
    if (!dropped)
        return;
    dropped->next = file->free_pages;
    file->free_pages = dropped;
    file->pages[page] = NULL;
}

void io_mem_pages_free(MemFile *file) {
    assert(file->refs == 0);
    while (file->slabs) {
        MemSlab *slab = file->slabs;
        file->slabs = slab->next;
        mem_free(slab);
    }
    mem_free(file->pages);
    file->pages = NULL;
    file->free_pages = NULL;
    file->page_count = 0;
}
