// SPDX-License-Identifier: Apache-2.0
// The program of a regular expression and its simulation (Thompson 1968): all states that a prefix of the name can
// lead to, one character after the other.
//
//     a|b      split 1 3 · a · jump 4 · b            a*   split 1 3 · a · jump 0
//     a+       a · split 0 2                         a?   split 1 2 · a
#include "group/topic_regex.h"

#include "base/mem.h"
#include "group/topic_regex_parse.h"

enum step_kind {
    STEP_SET,
    STEP_SPLIT, // to x and y
    STEP_JUMP,  // to x
    STEP_BEGIN,
    STEP_END,
    STEP_WORD_BOUNDARY,
    STEP_NO_WORD_BOUNDARY,
    STEP_MATCH,
};

struct step {
    enum step_kind kind;
    int32_t x, y;
    struct regex_set set;
};

// Steps that are reached, each once.
struct step_list {
    int32_t *steps;
    int32_t count;
    int32_t *places; // by step: where it is in the list, if it is
};

struct topic_regex {
    struct step *steps;
    int32_t count;
    size_t capacity;
    bool is_too_large;
    struct step_list lists[2];
    int32_t *stack;
};

// ---- program ---------------------------------------------------------------------------------------

static int32_t emit(struct topic_regex *regex, enum step_kind kind)
{
    if (regex->count >= TOPIC_REGEX_MAX_SIZE) {
        regex->is_too_large = true;
        return 0; // written over
    }
    vec_reserve(regex->steps, regex->count + 1, regex->capacity);
    regex->steps[regex->count] = (struct step){ .kind = kind };
    return regex->count++;
}

static void emit_node(struct topic_regex *regex, const struct regex_node *node);

static void emit_set(struct topic_regex *regex, const struct regex_set *set)
{
    int32_t step = emit(regex, STEP_SET);
    regex->steps[step].set = *set;
}

static void emit_star(struct topic_regex *regex, const struct regex_node *node)
{
    int32_t split = emit(regex, STEP_SPLIT);
    regex->steps[split].x = regex->count;
    emit_node(regex, node);
    int32_t back = emit(regex, STEP_JUMP);
    regex->steps[back].x = split;
    regex->steps[split].y = regex->count;
}

// node{min,max}: min times, then as many as there may be, each of which may be the last.
static void emit_repeat(struct topic_regex *regex, const struct regex_node *repeat)
{
    for (int32_t i = 0; i < repeat->min && !regex->is_too_large; i++)
        emit_node(regex, repeat->first);
    if (repeat->max == REGEX_NO_LIMIT) {
        emit_star(regex, repeat->first);
        return;
    }
    int32_t optional = repeat->max - repeat->min;
    int32_t last = -1; // splits are chained by y until the end is known
    for (int32_t i = 0; i < optional && !regex->is_too_large; i++) {
        int32_t split = emit(regex, STEP_SPLIT);
        regex->steps[split].x = regex->count;
        regex->steps[split].y = last;
        last = split;
        emit_node(regex, repeat->first);
    }
    while (last >= 0 && !regex->is_too_large) {
        int32_t before = regex->steps[last].y;
        regex->steps[last].y = regex->count;
        last = before;
    }
}

static void emit_alternate(struct topic_regex *regex, const struct regex_node *alternate)
{
    int32_t last = -1; // jumps to the end, chained by x
    for (const struct regex_node *child = alternate->first; child != NULL; child = child->next) {
        int32_t split = child->next != NULL ? emit(regex, STEP_SPLIT) : -1;
        if (split >= 0)
            regex->steps[split].x = regex->count;
        emit_node(regex, child);
        if (split < 0 || regex->is_too_large)
            continue;
        int32_t jump = emit(regex, STEP_JUMP);
        regex->steps[jump].x = last;
        last = jump;
        regex->steps[split].y = regex->count;
    }
    while (last >= 0 && !regex->is_too_large) {
        int32_t before = regex->steps[last].x;
        regex->steps[last].x = regex->count;
        last = before;
    }
}

static void emit_node(struct topic_regex *regex, const struct regex_node *node)
{
    if (regex->is_too_large)
        return;
    switch (node->kind) {
    case REGEX_EMPTY:
        return;
    case REGEX_SET:
        emit_set(regex, &node->set);
        return;
    case REGEX_CONCAT:
        for (const struct regex_node *child = node->first; child != NULL; child = child->next)
            emit_node(regex, child);
        return;
    case REGEX_ALTERNATE:
        emit_alternate(regex, node);
        return;
    case REGEX_REPEAT:
        emit_repeat(regex, node);
        return;
    case REGEX_BEGIN:
        emit(regex, STEP_BEGIN);
        return;
    case REGEX_END:
        emit(regex, STEP_END);
        return;
    case REGEX_WORD_BOUNDARY:
        emit(regex, STEP_WORD_BOUNDARY);
        return;
    case REGEX_NO_WORD_BOUNDARY:
        emit(regex, STEP_NO_WORD_BOUNDARY);
        return;
    }
}

struct topic_regex *topic_regex_compile(struct str pattern, const char **reason)
{
    struct arena arena;
    arena_init(&arena);
    struct topic_regex *regex = NULL;
    const struct regex_node *tree = topic_regex_parse(pattern, &arena, reason);
    if (tree != NULL) {
        regex = mem_new(struct topic_regex);
        emit_node(regex, tree);
        emit(regex, STEP_MATCH);
    }
    arena_fini(&arena);
    if (regex != NULL && regex->is_too_large) {
        topic_regex_free(regex);
        *reason = "expression is too large";
        return NULL;
    }
    if (regex != NULL) {
        size_t count = (size_t)regex->count;
        for (int i = 0; i < 2; i++) {
            regex->lists[i].steps = mem_zalloc(count * sizeof(int32_t));
            regex->lists[i].places = mem_zalloc(count * sizeof(int32_t));
        }
        regex->stack = mem_zalloc((2 * count + 1) * sizeof(int32_t));
    }
    return regex;
}

void topic_regex_free(struct topic_regex *regex)
{
    if (regex == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        mem_free(regex->lists[i].steps);
        mem_free(regex->lists[i].places);
    }
    mem_free(regex->stack);
    mem_free(regex->steps);
    mem_free(regex);
}

// ---- simulation ------------------------------------------------------------------------------------

static bool is_word(struct str name, size_t at)
{
    if (at >= name.size)
        return false;
    uint8_t c = (uint8_t)name.data[at];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_boundary(struct str name, size_t at)
{
    return (at > 0 && is_word(name, at - 1)) != is_word(name, at);
}

static bool holds(enum step_kind kind, struct str name, size_t at)
{
    switch (kind) {
    case STEP_BEGIN:
        return at == 0;
    case STEP_END:
        return at == name.size;
    case STEP_WORD_BOUNDARY:
        return is_boundary(name, at);
    case STEP_NO_WORD_BOUNDARY:
        return !is_boundary(name, at);
    default:
        return false;
    }
}

static bool add_once(struct step_list *list, int32_t step)
{
    int32_t place = list->places[step];
    if (place < list->count && list->steps[place] == step)
        return false;
    list->places[step] = list->count;
    list->steps[list->count++] = step;
    return true;
}

// Adds the step and all that it leads to without a character.
static void follow(struct topic_regex *regex, struct step_list *list, int32_t first,
                   struct str name, size_t at)
{
    int32_t depth = 0;
    regex->stack[depth++] = first;
    while (depth > 0) {
        int32_t place = regex->stack[--depth];
        const struct step *step = &regex->steps[place];
        if (!add_once(list, place))
            continue;
        if (step->kind == STEP_SPLIT) {
            regex->stack[depth++] = step->x;
            regex->stack[depth++] = step->y;
        } else if (step->kind == STEP_JUMP) {
            regex->stack[depth++] = step->x;
        } else if (holds(step->kind, name, at)) {
            regex->stack[depth++] = place + 1;
        }
    }
}

bool topic_regex_matches(struct topic_regex *regex, struct str name)
{
    struct step_list *now = &regex->lists[0], *next = &regex->lists[1];
    now->count = 0;
    follow(regex, now, 0, name, 0);
    for (size_t at = 0; at < name.size && now->count > 0; at++) {
        next->count = 0;
        for (int32_t i = 0; i < now->count; i++) {
            const struct step *step = &regex->steps[now->steps[i]];
            if (step->kind == STEP_SET && regex_set_has(&step->set, (uint8_t)name.data[at]))
                follow(regex, next, now->steps[i] + 1, name, at + 1);
        }
        struct step_list *swap = now;
        now = next;
        next = swap;
    }
    for (int32_t i = 0; i < now->count; i++)
        if (regex->steps[now->steps[i]].kind == STEP_MATCH)
            return true;
    return false;
}
