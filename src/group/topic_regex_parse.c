// SPDX-License-Identifier: Apache-2.0
// See the header. By recursive descent:
//
//     alternation = concatenation { '|' concatenation }
//     concatenation = { (atom | flags | \Q…\E) [ repetition ] }
//     atom = character | class | '.' | '^' | '$' | \b | \B | \A | \z | group
//
// Tested by group/topic_regex_test.c, group/topic_regex_fuzz.c and compat-tests/group-oracle.
#include "group/topic_regex_parse.h"

#include "base/hashmap.h"
#include "group/topic_regex_set.h"

enum { REPEAT_MAX = 1000 };

static const char perl_syntax[] = "invalid or unsupported Perl syntax";
static const char repeat_argument[] = "missing argument to repetition operator";

struct parser {
    struct regex_cursor cursor;
    struct arena *arena;
    struct hashmap names; // of groups
    bool folds_case;
    int depth;
};

static struct regex_node *fail(struct parser *p, const char *reason)
{
    if (p->cursor.reason == NULL)
        p->cursor.reason = reason;
    return NULL;
}

static struct regex_node *new_node(struct parser *p, enum regex_kind kind)
{
    struct regex_node *node = arena_new(p->arena, struct regex_node);
    node->kind = kind;
    return node;
}

static void add_child(struct regex_node *parent, struct regex_node *child)
{
    if (parent->first == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

static struct regex_node *character(struct parser *p, uint32_t point)
{
    struct regex_node *node = new_node(p, REGEX_SET);
    regex_set_add(&node->set, point, point, p->folds_case);
    return node;
}

// ---- repetition ------------------------------------------------------------------------------------

static bool read_number(struct regex_cursor *cursor, int32_t *number)
{
    const char *start = cursor->at;
    int64_t value = 0;
    for (; !regex_at_end(cursor) && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++)
        value = value > REPEAT_MAX ? value : value * 10 + (*cursor->at - '0');
    if (cursor->at == start || (*start == '0' && cursor->at - start > 1))
        return false;
    *number = value > REPEAT_MAX ? REPEAT_MAX + 1 : (int32_t)value;
    return true;
}

// {n} {n,} {n,m}: what looks different is text.
static bool read_braces(struct parser *p, int32_t *min, int32_t *max)
{
    struct regex_cursor at = p->cursor;
    at.at++;
    if (!read_number(&at, min))
        return false;
    *max = *min;
    if (!regex_take(&at, "}")) {
        if (!regex_take(&at, ","))
            return false;
        *max = REGEX_NO_LIMIT;
        if (!regex_take(&at, "}") && (!read_number(&at, max) || !regex_take(&at, "}")))
            return false;
    }
    p->cursor = at;
    if (*min > REPEAT_MAX || *max > REPEAT_MAX || (*max != REGEX_NO_LIMIT && *min > *max))
        fail(p, "invalid repeat count");
    return true;
}

static bool read_repetition(struct parser *p, int32_t *min, int32_t *max)
{
    if (regex_at_end(&p->cursor))
        return false;
    switch (*p->cursor.at) {
    case '*':
        *min = 0;
        *max = REGEX_NO_LIMIT;
        break;
    case '+':
        *min = 1;
        *max = REGEX_NO_LIMIT;
        break;
    case '?':
        *min = 0;
        *max = 1;
        break;
    case '{':
        return read_braces(p, min, max);
    default:
        return false;
    }
    p->cursor.at++;
    return true;
}

// Repeats the last child of the concatenation.
static void repeat_last(struct parser *p, struct regex_node *concat, int32_t min, int32_t max)
{
    struct regex_node *inner = concat->last;
    if (inner == NULL) {
        fail(p, repeat_argument);
        return;
    }
    struct regex_node *copy = arena_dup(p->arena, inner, sizeof *inner);
    copy->next = NULL;
    *inner = (struct regex_node){
        .kind = REGEX_REPEAT, .min = min, .max = max, .first = copy, .last = copy
    };
}

// ---- groups ----------------------------------------------------------------------------------------

static struct regex_node *parse_alternation(struct parser *p);

static struct regex_node *parse_inside(struct parser *p, bool folded_before)
{
    if (++p->depth > TOPIC_REGEX_MAX_DEPTH)
        return fail(p, "expression nests too deeply");
    struct regex_node *inside = parse_alternation(p);
    p->depth--;
    if (p->cursor.reason != NULL)
        return NULL;
    if (!regex_take(&p->cursor, ")"))
        return fail(p, "missing closing )");
    p->folds_case = folded_before;
    return inside;
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_word && c != '_')
            return false;
    }
    return name.size > 0;
}

// Behind "(?P<" or "(?<".
static struct regex_node *parse_named(struct parser *p)
{
    const char *start = p->cursor.at;
    const char *close = memchr(start, '>', (size_t)(p->cursor.end - start));
    struct str name = { start, close == NULL ? 0 : (size_t)(close - start) };
    if (!is_name(name))
        return fail(p, "invalid named capture");
    if (hashmap_put(&p->names, name.data, name.size, p) != NULL)
        return fail(p, "duplicate capture group name");
    p->cursor.at = close + 1;
    return parse_inside(p, p->folds_case);
}

// Behind "(?": flags, then ')' or ':' and the rest of a group. Only i makes a difference. NULL without a reason: flags
// alone, for what follows.
static struct regex_node *parse_flags(struct parser *p)
{
    bool folded_before = p->folds_case, folds = p->folds_case;
    bool is_off = false, has_flag = false;
    while (!regex_at_end(&p->cursor)) {
        switch (*p->cursor.at++) {
        case 'i':
            folds = !is_off;
            has_flag = true;
            break;
        case 'm':
        case 's':
        case 'U':
            has_flag = true;
            break;
        case '-':
            if (is_off)
                return fail(p, perl_syntax);
            is_off = true;
            has_flag = false;
            break;
        case ':':
        case ')':
            if (is_off && !has_flag)
                return fail(p, perl_syntax);
            p->folds_case = folds;
            return p->cursor.at[-1] == ':' ? parse_inside(p, folded_before) : NULL;
        default:
            return fail(p, perl_syntax);
        }
    }
    return fail(p, perl_syntax);
}

static struct regex_node *parse_group(struct parser *p)
{
    p->cursor.at++;
    if (!regex_take(&p->cursor, "?"))
        return parse_inside(p, p->folds_case);
    if (regex_take(&p->cursor, "P<") || regex_take(&p->cursor, "<"))
        return parse_named(p);
    return parse_flags(p);
}

// ---- atoms -----------------------------------------------------------------------------------------

static struct regex_node *any_character(struct parser *p)
{
    struct regex_node *node = new_node(p, REGEX_SET);
    regex_set_add(&node->set, 0, 127, false);
    return node;
}

static struct regex_node *parse_escape(struct parser *p)
{
    static const struct {
        char letter;
        enum regex_kind kind;
    } assertions[] = { { 'A', REGEX_BEGIN },
                       { 'z', REGEX_END },
                       { 'b', REGEX_WORD_BOUNDARY },
                       { 'B', REGEX_NO_WORD_BOUNDARY } };
    char letter = p->cursor.end - p->cursor.at >= 2 ? p->cursor.at[1] : '\0';
    for (size_t i = 0; i < sizeof assertions / sizeof *assertions; i++) {
        if (letter != assertions[i].letter)
            continue;
        p->cursor.at += 2;
        return new_node(p, assertions[i].kind);
    }
    struct regex_set set = { { 0 } };
    if (regex_read_group(&p->cursor, &set, p->folds_case)) {
        struct regex_node *node = new_node(p, REGEX_SET);
        node->set = set;
        return node;
    }
    uint32_t point = regex_read_escape(&p->cursor);
    return p->cursor.reason == NULL ? character(p, point) : NULL;
}

static struct regex_node *parse_atom(struct parser *p)
{
    struct regex_node *node;
    switch (*p->cursor.at) {
    case '(':
        return parse_group(p);
    case '[':
        node = new_node(p, REGEX_SET);
        node->set = regex_read_class(&p->cursor, p->folds_case);
        return node;
    case '\\':
        return parse_escape(p);
    case '.':
        p->cursor.at++;
        return any_character(p);
    case '^':
        p->cursor.at++;
        return new_node(p, REGEX_BEGIN);
    case '$':
        p->cursor.at++;
        return new_node(p, REGEX_END);
    default:
        return character(p, regex_take_point(&p->cursor));
    }
}

// Text up to \E, or to the end.
static void parse_quoted(struct parser *p, struct regex_node *concat)
{
    while (!regex_at_end(&p->cursor) && !regex_take(&p->cursor, "\\E"))
        add_child(concat, character(p, regex_take_point(&p->cursor)));
}

// ---- the whole -------------------------------------------------------------------------------------

static struct regex_node *parse_concatenation(struct parser *p)
{
    struct regex_node *concat = new_node(p, REGEX_CONCAT);
    bool was_repeated = false;
    while (!regex_at_end(&p->cursor) && p->cursor.reason == NULL) {
        int32_t min, max;
        if (*p->cursor.at == '|' || *p->cursor.at == ')')
            break;
        if (read_repetition(p, &min, &max)) {
            if (p->cursor.reason != NULL)
                break;
            if (concat->last != NULL && was_repeated) {
                fail(p, "invalid nested repetition operator");
                break;
            }
            repeat_last(p, concat, min, max);
            regex_take(&p->cursor, "?"); // the lazy kind
            was_repeated = true;
            continue;
        }
        // RE2/J takes a brace that is text for a repetition that nothing may repeat.
        was_repeated = *p->cursor.at == '{';
        if (regex_take(&p->cursor, "\\Q")) {
            parse_quoted(p, concat);
            continue;
        }
        struct regex_node *atom = parse_atom(p);
        if (atom != NULL)
            add_child(concat, atom);
    }
    return concat;
}

static struct regex_node *parse_alternation(struct parser *p)
{
    struct regex_node *alternate = new_node(p, REGEX_ALTERNATE);
    do
        add_child(alternate, parse_concatenation(p));
    while (p->cursor.reason == NULL && regex_take(&p->cursor, "|"));
    return alternate;
}

struct regex_node *topic_regex_parse(struct str pattern, struct arena *arena, const char **reason)
{
    struct parser p = { .cursor = { pattern.data, pattern.data + pattern.size, NULL },
                        .arena = arena };
    hashmap_init(&p.names);
    struct regex_node *tree = parse_alternation(&p);
    if (p.cursor.reason == NULL && !regex_at_end(&p.cursor))
        fail(&p, "regexp/syntax: internal error"); // RE2/J's words for a ')' without '('
    hashmap_fini(&p.names);
    *reason = p.cursor.reason;
    return *reason == NULL ? tree : NULL;
}
