// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/topic_regex_test.c and compat-tests/group-oracle.
#include "group/topic_regex_set.h"

enum { POINT_MAX = 0x10ffff, LONG_S = 0x17f, KELVIN = 0x212a };

static const char invalid_escape[] = "invalid escape sequence";
static const char invalid_range[] = "invalid character class range";
static const char missing_bracket[] = "missing closing ]";

// ---- reading ---------------------------------------------------------------------------------------

bool regex_take(struct regex_cursor *cursor, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, text, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

// The pattern is valid UTF-8, or at least what is not is of no ASCII topic.
uint32_t regex_take_point(struct regex_cursor *cursor)
{
    uint8_t first = (uint8_t)*cursor->at++;
    if (first < 0x80)
        return first;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t point = first & (0x3fu >> more);
    for (; more > 0 && !regex_at_end(cursor) && ((uint8_t)*cursor->at & 0xc0) == 0x80; more--)
        point = point << 6 | ((uint8_t)*cursor->at++ & 0x3fu);
    return point;
}

// ---- sets ------------------------------------------------------------------------------------------

static void add_one(struct regex_set *set, uint32_t c)
{
    set->bits[c / 64] |= UINT64_C(1) << (c % 64);
}

static bool is_letter(uint32_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static void add_both_cases(struct regex_set *set, uint32_t letter)
{
    add_one(set, letter);
    add_one(set, letter ^ 0x20);
}

// Two characters outside of ASCII fold to one inside.
void regex_set_add(struct regex_set *set, uint32_t low, uint32_t high, bool folds_case)
{
    for (uint32_t c = low; c <= high && c < 128; c++) {
        add_one(set, c);
        if (folds_case && is_letter(c))
            add_one(set, c ^ 0x20);
    }
    if (folds_case && low <= LONG_S && LONG_S <= high)
        add_both_cases(set, 's');
    if (folds_case && low <= KELVIN && KELVIN <= high)
        add_both_cases(set, 'k');
}

static void merge(struct regex_set *set, struct regex_set other, bool negated)
{
    for (int i = 0; i < 2; i++)
        set->bits[i] |= negated ? ~other.bits[i] : other.bits[i];
}

// Pairs of first and last characters.
static struct regex_set set_of(const char *pairs, bool folds_case)
{
    struct regex_set set = { { 0 } };
    for (; pairs[0] != '\0'; pairs += 2)
        regex_set_add(&set, (uint8_t)pairs[0], (uint8_t)pairs[1], folds_case);
    return set;
}

// ---- escapes ---------------------------------------------------------------------------------------

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static uint32_t escape_failed(struct regex_cursor *cursor)
{
    cursor->reason = invalid_escape;
    return 0;
}

// \x7F or \x{10FFFF}
static uint32_t read_hex(struct regex_cursor *cursor)
{
    uint32_t point = 0;
    int digits = 0;
    if (regex_take(cursor, "{")) {
        for (; !regex_at_end(cursor) && hex_digit(*cursor->at) >= 0; cursor->at++, digits++) {
            point = point * 16 + (uint32_t)hex_digit(*cursor->at);
            if (point > POINT_MAX)
                return escape_failed(cursor);
        }
        return digits > 0 && regex_take(cursor, "}") ? point : escape_failed(cursor);
    }
    for (; digits < 2 && !regex_at_end(cursor) && hex_digit(*cursor->at) >= 0; digits++)
        point = point * 16 + (uint32_t)hex_digit(*cursor->at++);
    return digits == 2 ? point : escape_failed(cursor);
}

static bool is_octal(const struct regex_cursor *cursor)
{
    return !regex_at_end(cursor) && *cursor->at >= '0' && *cursor->at <= '7';
}

// One digit other than 0 would be a reference to a group, which RE2 has not.
static uint32_t read_octal(struct regex_cursor *cursor, uint32_t first)
{
    if (first != '0' && !is_octal(cursor))
        return escape_failed(cursor);
    uint32_t point = first - '0';
    for (int more = 0; more < 2 && is_octal(cursor); more++)
        point = point * 8 + (uint32_t)(*cursor->at++ - '0');
    return point;
}

uint32_t regex_read_escape(struct regex_cursor *cursor)
{
    cursor->at++; // the backslash
    if (regex_at_end(cursor)) {
        cursor->reason = "trailing backslash at end of expression";
        return 0;
    }
    uint32_t c = regex_take_point(cursor);
    switch (c) {
    case 'x':
        return read_hex(cursor);
    case 'a':
        return '\a';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        break;
    }
    if (c >= '0' && c <= '7')
        return read_octal(cursor, c);
    if (is_letter(c) || (c >= '0' && c <= '9'))
        return escape_failed(cursor);
    return c;
}

// ---- groups ----------------------------------------------------------------------------------------

struct named_set {
    const char *name;
    const char *pairs;
    const char *folded; // NULL: the same, or by the rule of letters
};

static const struct named_set perl_sets[] = { { "d", "09", NULL },
                                              { "s", "\t\n\f\r  ", NULL },
                                              { "w", "09AZaz__", NULL } };

static const struct named_set posix_sets[] = {
    { "alnum", "09AZaz", NULL },
    { "alpha", "AZaz", NULL },
    { "ascii", "\1\177", NULL },
    { "blank", "\t\t  ", NULL },
    { "cntrl", "\1\37\177\177", NULL },
    { "digit", "09", NULL },
    { "graph", "!~", NULL },
    { "lower", "az", NULL },
    { "print", " ~", NULL },
    { "punct", "!/:@[`{~", NULL },
    { "space", "\t\r  ", NULL },
    { "upper", "AZ", NULL },
    { "word", "09AZaz__", NULL },
    { "xdigit", "09AFaf", NULL },
};

// Categories and scripts of Unicode that have characters of a topic's name; what RE2/J makes of them when case does
// not matter is its own (Ll gains but K and S).
static const struct named_set unicode_sets[] = {
    { "Any", "\1\177", NULL }, { "L", "AZaz", NULL },        { "Ll", "az", "azKKSS" },
    { "Lu", "AZ", "AZaz" },    { "N", "09", NULL },          { "Nd", "09", NULL },
    { "P", "-.__", NULL },     { "Pc", "__", NULL },         { "Pd", "--", NULL },
    { "Po", "..", NULL },      { "Common", "-.09__", NULL }, { "Latin", "AZaz", NULL },
};

// Those that have none.
static const char other_names[] =
    " C Cc Cf Co Cs Lm Lo Lt M Mc Me Mn Nl No Pe Pf Pi Ps S Sc Sk Sm So Z Zl Zp Zs Arabic Armenian"
    " Avestan Balinese Bamum Batak Bengali Bopomofo Brahmi Braille Buginese Buhid"
    " Canadian_Aboriginal Carian Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari"
    " Egyptian_Hieroglyphs Ethiopic Georgian Glagolitic Gothic Greek Gujarati Gurmukhi Han Hangul"
    " Hanunoo Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi"
    " Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kayah_Li Kharoshthi Khmer Lao Lepcha"
    " Limbu Linear_B Lisu Lycian Lydian Malayalam Mandaic Meetei_Mayek Mongolian Myanmar"
    " New_Tai_Lue Nko Ogham Ol_Chiki Old_Italic Old_Persian Old_South_Arabian Old_Turkic Oriya"
    " Osmanya Phags_Pa Phoenician Rejang Runic Samaritan Saurashtra Shavian Sinhala Sundanese"
    " Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tamil Telugu Thaana Thai"
    " Tibetan Tifinagh Ugaritic Unknown Vai Yi ";

static const struct named_set *find_set(const struct named_set *sets, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eqz(name, sets[i].name))
            return &sets[i];
    return NULL;
}

#define FIND(sets, name) find_set((sets), sizeof(sets) / sizeof *(sets), (name))

static bool is_other_name(struct str name)
{
    for (const char *at = other_names; (at = strchr(at, ' ')) != NULL && at[1] != '\0'; at++) {
        const char *end = strchr(at + 1, ' ');
        if ((size_t)(end - at - 1) == name.size && memcmp(at + 1, name.data, name.size) == 0)
            return true;
    }
    return false;
}

// Behind \p or \P: a letter, or a name in braces, either with ^ before it in the braces.
static void read_unicode(struct regex_cursor *cursor, bool negated, struct regex_set *set,
                         bool folds_case)
{
    if (regex_at_end(cursor)) {
        cursor->reason = invalid_range;
        return;
    }
    const char *start = cursor->at;
    struct str name = { start, 1 };
    if (*start == '{') {
        const char *close = memchr(start, '}', (size_t)(cursor->end - start));
        if (close == NULL) {
            cursor->reason = invalid_range;
            return;
        }
        name = (struct str){ start + 1, (size_t)(close - start - 1) };
        cursor->at = close + 1;
    } else {
        regex_take_point(cursor);
        name.size = (size_t)(cursor->at - start);
    }
    if (name.size > 0 && name.data[0] == '^') {
        negated = !negated;
        name.data++;
        name.size--;
    }
    const struct named_set *known = FIND(unicode_sets, name);
    if (known == NULL && !is_other_name(name)) {
        cursor->reason = invalid_range;
        return;
    }
    const char *pairs = known == NULL                         ? ""
                        : folds_case && known->folded != NULL ? known->folded
                                                              : known->pairs;
    merge(set, set_of(pairs, false), negated);
}

bool regex_read_group(struct regex_cursor *cursor, struct regex_set *set, bool folds_case)
{
    if (cursor->end - cursor->at < 2 || cursor->at[0] != '\\')
        return false;
    char letter = cursor->at[1];
    char lower = (char)(letter | 0x20);
    if (lower == 'p') {
        cursor->at += 2;
        read_unicode(cursor, letter == 'P', set, folds_case);
        return true;
    }
    const struct named_set *known = FIND(perl_sets, ((struct str){ &lower, 1 }));
    if (known == NULL || !is_letter((uint8_t)letter))
        return false;
    cursor->at += 2;
    merge(set, set_of(known->pairs, folds_case), letter != lower);
    return true;
}

// ---- classes ---------------------------------------------------------------------------------------

// [:alpha:] or [:^alpha:]. Without its end it is nothing special.
static bool read_posix(struct regex_cursor *cursor, struct regex_set *set, bool folds_case)
{
    if (cursor->end - cursor->at < 4 || cursor->at[0] != '[' || cursor->at[1] != ':')
        return false;
    const char *close = memmem(cursor->at + 2, (size_t)(cursor->end - cursor->at - 2), ":]", 2);
    if (close == NULL)
        return false;
    struct str name = { cursor->at + 2, (size_t)(close - cursor->at - 2) };
    bool negated = name.size > 0 && name.data[0] == '^';
    if (negated) {
        name.data++;
        name.size--;
    }
    cursor->at = close + 2;
    const struct named_set *known = FIND(posix_sets, name);
    if (known == NULL)
        cursor->reason = invalid_range;
    else
        merge(set, set_of(known->pairs, folds_case), negated);
    return true;
}

static uint32_t read_class_point(struct regex_cursor *cursor)
{
    if (regex_at_end(cursor)) {
        cursor->reason = missing_bracket;
        return 0;
    }
    return *cursor->at == '\\' ? regex_read_escape(cursor) : regex_take_point(cursor);
}

static void read_range(struct regex_cursor *cursor, struct regex_set *set, bool folds_case)
{
    uint32_t low = read_class_point(cursor), high = low;
    if (cursor->reason != NULL)
        return;
    if (cursor->end - cursor->at >= 2 && cursor->at[0] == '-' && cursor->at[1] != ']') {
        cursor->at++;
        high = read_class_point(cursor);
        if (cursor->reason != NULL)
            return;
        if (high < low) {
            cursor->reason = invalid_range;
            return;
        }
    }
    regex_set_add(set, low, high, folds_case);
}

struct regex_set regex_read_class(struct regex_cursor *cursor, bool folds_case)
{
    struct regex_set set = { { 0 } };
    cursor->at++; // the bracket
    bool negated = regex_take(cursor, "^");
    for (bool is_first = true; cursor->reason == NULL; is_first = false) {
        if (regex_at_end(cursor)) {
            cursor->reason = missing_bracket;
        } else if (*cursor->at == ']' && !is_first) {
            cursor->at++;
            break;
        } else if (!read_posix(cursor, &set, folds_case) &&
                   !regex_read_group(cursor, &set, folds_case)) {
            read_range(cursor, &set, folds_case);
        }
    }
    struct regex_set result = { { 0 } };
    merge(&result, set, negated);
    return result;
}
