/*
 * output_text.c - rows for other programs: csv, tsv, json, ndjson, markdown, insert.
 *
 * Each is read back as what it was: csv by the rules of RFC 4180 (NULL is an empty field, an empty
 * text is ""), tsv as PostgreSQL's COPY writes it (NULL is \N), the statements of insert by Weir.
 */
#include <stdio.h>
#include <string.h>

#include "cli/output_impl.h"

static void no_step(Output *output) {
    (void)output;
}

/* -- csv --------------------------------------------------------------------------------------- */

static void csv_put(uint32_t column, const char *text) {
    if (column > 0)
        putchar(',');
    if (!text)
        return;
    if (*text && !strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_begin(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        csv_put(i, weir_column_name(output->result, i));
    putchar('\n');
}

static void csv_row(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        csv_put(i, weir_text(output->result, i));
    putchar('\n');
}

/* -- tsv --------------------------------------------------------------------------------------- */

static void tsv_put(uint32_t column, const char *text) {
    static const char plain[] = "\t\n\r\\", marks[] = "tnr\\";
    if (column > 0)
        putchar('\t');
    if (!text)
        text = "\\N";
    else
        for (; *text; text++) {
            const char *found = strchr(plain, *text);
            if (found)
                putchar('\\');
            putchar(found ? marks[found - plain] : *text);
        }
    fputs(text, stdout);
}

static void tsv_begin(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        tsv_put(i, weir_column_name(output->result, i));
    putchar('\n');
}

static void tsv_row(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        tsv_put(i, weir_text(output->result, i));
    putchar('\n');
}

/* -- json: one array; ndjson: one object a line ------------------------------------------------ */

static void json_row(Output *output) {
    fputs(output->rows > 1 ? ",\n " : "[", stdout);
    fputs(weir_json_row(output->result), stdout);
}

static void json_end(Output *output) {
    puts(output->rows > 0 ? "]" : "[]");
}

static void ndjson_row(Output *output) {
    puts(weir_json_row(output->result));
}

/* -- markdown ---------------------------------------------------------------------------------- */

static void markdown_put(const char *text) {
    Buf cell = {0};
    output_escape(&cell, text, false);
    fputs("| ", stdout);
    for (text = buf_cstr(&cell); *text; text++) {
        if (strchr("|\\<`*_", *text))
            putchar('\\');
        putchar(*text);
    }
    putchar(' ');
    buf_free(&cell);
}

static void markdown_begin(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++)
        markdown_put(weir_column_name(output->result, i));
    puts("|");
    for (uint32_t i = 0; i < output->columns; i++)
        fputs(output_type_is_number(weir_column_type(output->result, i)) ? "| ---: " : "| --- ",
              stdout);
    puts("|");
}

static void markdown_row(Output *output) {
    for (uint32_t i = 0; i < output->columns; i++) {
        const char *text = weir_text(output->result, i);
        markdown_put(text ? text : "NULL");
    }
    puts("|");
}

/* -- insert ------------------------------------------------------------------------------------ */

static void insert_quoted(const char *text, char quote) {
    putchar(quote);
    for (; *text; text++) {
        if (*text == quote)
            putchar(quote);
        putchar(*text);
    }
    putchar(quote);
}

/* Behind the type that begins at `type`: over its brackets, up to ',' or the bracket of another. */
static const char *type_end(const char *type) {
    int depth = 0;
    for (; *type; type++) {
        if (depth == 0 && (*type == ',' || *type == '>'))
            break;
        depth += (*type == '<' || *type == '(') - (*type == '>' || *type == ')');
    }
    return type;
}

/* A scalar of JSON text, as the language writes it; returns what is behind it. */
static const char *insert_json_scalar(const char *json) {
    if (*json != '"') {
        size_t size = strcspn(json, ",]}");
        printf("%.*s", (int)size, json);
        return json + size;
    }
    Buf text = {0};
    for (json++; *json && *json != '"'; json++) {
        static const char marks[] = "nrtbf", controls[] = "\n\r\t\b\f";
        const char *found = *json == '\\' ? strchr(marks, json[1]) : NULL;
        json += *json == '\\' && json[1] != '\0';
        buf_u8(&text, found ? (uint8_t)controls[found - marks] : (uint8_t)*json);
    }
    insert_quoted(buf_cstr(&text), '\'');
    buf_free(&text);
    return *json ? json + 1 : json;
}

static const char *insert_json(const char *json, const char *type);

/* The members of an object: MAP(key := value) or STRUCT(name := value). */
static const char *insert_json_members(const char *json, const char *type, bool map) {
    const char *next = map ? type_end(type) + 1 : type;
    for (bool first = true; *json && *json != '}'; first = false) {
        json += *json == ',';
        fputs(first ? "" : ", ", stdout);
        const char *name = json;
        if (map) {
            json = insert_json_scalar(json);
        } else {
            json += strcspn(json + 1, "\"") + 2;
            printf("`%.*s`", (int)(json - name - 2), name + 1);
        }
        json += *json == ':';
        fputs(" := ", stdout);
        next += strspn(next, " ,");
        const char *value = map ? next : next + strcspn(next, " ") + 1;
        json = insert_json(json, value);
        next = map ? next : type_end(value);
    }
    return *json ? json + 1 : json;
}

/* A JSON value of this type as an expression; returns what is behind it. */
static const char *insert_json(const char *json, const char *type) {
    type += strspn(type, " ");
    bool array = strncmp(type, "ARRAY<", 6) == 0, map = strncmp(type, "MAP<", 4) == 0;
    if ((!array && !map && strncmp(type, "STRUCT<", 7) != 0) || *json == 'n')
        return insert_json_scalar(json);
    fputs(array ? "ARRAY[" : map ? "MAP(" : "STRUCT(", stdout);
    if (array) {
        for (json++; *json && *json != ']'; json += *json == ',') {
            if (json[-1] == ',')
                fputs(", ", stdout);
            json = insert_json(json, type + 6);
        }
        json += *json == ']';
    } else {
        json = insert_json_members(json + 1, type + (map ? 4 : 7), map);
    }
    putchar(array ? ']' : ')');
    return json;
}

static void insert_value(Output *output, uint32_t column) {
    const char *type = weir_column_type(output->result, column);
    const char *text = weir_text(output->result, column);
    bool nested = strchr(type, '<') != NULL;
    if (!text)
        fputs("NULL", stdout);
    else if (nested)
        (void)insert_json(weir_json(output->result, column), type);
    else if (output_type_is_number(type) || strcmp(type, "BOOLEAN") == 0)
        fputs(text, stdout);
    else
        insert_quoted(text, '\'');
}

static void insert_row(Output *output) {
    printf("INSERT INTO ");
    insert_quoted(output->source, '`');
    for (uint32_t i = 0; i < output->columns; i++) {
        fputs(i == 0 ? " (" : ", ", stdout);
        insert_quoted(weir_column_name(output->result, i), '`');
    }
    for (uint32_t i = 0; i < output->columns; i++) {
        fputs(i == 0 ? ") VALUES (" : ", ", stdout);
        insert_value(output, i);
    }
    puts(");");
}

/* -- PRINT ------------------------------------------------------------------------------------- */

static void print_lines(const char *text) {
    Buf line = {0};
    output_escape(&line, text, true);
    puts(buf_cstr(&line));
    buf_free(&line);
}

static void print_row(Output *output) {
    const char *formats = weir_print_formats(output->result);
    if (*formats)
        print_lines(formats);
    Buf line = {0};
    output_escape(&line, weir_print_line(output->result), false);
    puts(buf_cstr(&line));
    buf_free(&line);
}

const OutputOps output_csv = {"csv", csv_begin, csv_row, NULL, no_step};
const OutputOps output_tsv = {"tsv", tsv_begin, tsv_row, NULL, no_step};
const OutputOps output_json = {"json", no_step, json_row, NULL, json_end};
const OutputOps output_ndjson = {"ndjson", no_step, ndjson_row, NULL, no_step};
const OutputOps output_markdown = {"markdown", markdown_begin, markdown_row, NULL, no_step};
const OutputOps output_insert = {"insert", no_step, insert_row, NULL, no_step};
const OutputOps output_print = {"print", no_step, print_row, NULL, no_step};
