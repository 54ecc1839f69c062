#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/clean.h"
#include "data/csv.h"
#include "data/utf8.h"

/* A cleaner of the rules and masks named, by commas, and a lane. */
struct kit {
    struct cleaner *cleaner;
    struct clean_lane *lane;
};

static struct opt_list list_of(char *names)
{
    struct opt_list list = {.items = calloc(32, sizeof(char *))};
    assert_non_null(list.items);
    for (char *save = NULL, *name = strtok_r(names, ",", &save); name != NULL; name = strtok_r(NULL, ",", &save))
        list.items[list.count++] = name;
    return list;
}

static struct kit kit_open(const char *rules, const char *masks, struct clean_options options)
{
    struct kit kit = {0};
    char *rule_names = strdup(rules), *mask_names = strdup(masks);
    options.clean = list_of(rule_names);
    options.mask = list_of(mask_names);
    if (options.near_duplicate_threshold == 0)
        options.near_duplicate_threshold = 0.8;
    assert_int_equal(cleaner_new(&kit.cleaner, &options), 0);
    assert_int_equal(clean_lane_new(&kit.lane, kit.cleaner), 0);
    free(options.clean.items);
    free(options.mask.items);
    free(rule_names);
    free(mask_names);
    return kit;
}

static struct kit kit_of(const char *rules, const char *masks)
{
    return kit_open(rules, masks, (struct clean_options){0});
}

static void kit_close(struct kit *kit)
{
    clean_lane_free(kit->lane);
    cleaner_free(kit->cleaner);
}

static size_t rule_of(const char *name)
{
    size_t rule = 0;
    while (rule < clean_rule_count() && strcmp(clean_rule_at(rule)->name, name) != 0)
        rule++;
    return rule;
}

/* clean_text, and what must hold for every text: clean is clean, and valid stays valid. */
static const char *cleaned(struct kit *kit, const char *text, size_t length, size_t *out_length)
{
    const char *out, *again;
    size_t again_length;
    assert_int_equal(clean_text(kit->lane, CLEAN_SIDE_QUERY, text, length, &out, out_length), 0);
    assert_int_equal(clean_text(kit->lane, CLEAN_SIDE_DESCRIPTION, out, *out_length, &again, &again_length), 0);
    if (again != out)
        fail_msg("not clean after cleaning: '%.*s' to '%.*s'", (int)*out_length, out, (int)again_length, again);
    assert_true(!utf8_is_valid(text, length, NULL) || utf8_is_valid(out, *out_length, NULL));
    if (out == text)
        assert_int_equal(*out_length, length);
    return out;
}

struct text_case {
    const char *rules, *text, *expected; /* NULL: left as it is */
};

static void check_cases(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct kit kit = kit_of(cases[i].rules, "");
        size_t length;
        const char *expected = cases[i].expected != NULL ? cases[i].expected : cases[i].text;
        const char *out = cleaned(&kit, cases[i].text, strlen(cases[i].text), &length);
        if (length != strlen(expected) || memcmp(out, expected, length) != 0)
            fail_msg("%s: '%s' became '%.*s', not '%s'", cases[i].rules, cases[i].text, (int)length, out, expected);
        if (cases[i].expected == NULL)
            assert_ptr_equal(out, cases[i].text);
        uint64_t texts = 0;
        for (size_t r = 0; r < clean_rule_count(); r++)
            texts += clean_lane_counts(kit.lane)->texts[r];
        assert_true((texts > 0) == (cases[i].expected != NULL));
        kit_close(&kit);
    }
}
#define CHECK(cases) check_cases(cases, sizeof cases / sizeof cases[0])

static void test_html(void **state)
{
    static const struct text_case cases[] = {
        {"html", "<p>Hello <b>wor</b>ld</p><br/>next", "Hello world next"},
        {"html", "<ul><li>one</li><li>two</li></ul>", "one two "},
        {"html", "H<sub>2</sub>O", "H2O"},
        {"html", "a<!-- hidden <b> -->b", "a b"},
        {"html", "a <!-- never closed", "a  never closed"},
        {"html", "<a href=\"x>y\" title='<b>'>link</a>", "link"},
        {"html", "cut off <a href=\"http://exam", "cut off "},
        {"html", "<!DOCTYPE html PUBLIC \"-//W3C//DTD\">x<?xml version=\"1.0\"?>y", "x y"},
        {"html", "<![CDATA[a < b]]>", "a < b "},
        {"html", "<o:p>x</o:p>", "x"},
        {"html", "<IMG SRC=x><BR>y", "y"},
        {"html", "x<br >y<hr/>z", "x y z"},
        /* what is no tag */
        {"html", "a < b > c", NULL},
        {"html", "<3 and <10mm", NULL},
        {"html", "size <none> <John Smith> <email@x.com>", NULL},
        {"html", "a <b and c> d", NULL},
        {"html", "x<y>z", NULL},
        {"html", "< -- PS4 -- >", NULL},
        {"html", "1 <= 2 => 3 <> <", NULL},
        {"html", "a <b", NULL},
        {"html", "</", NULL},
        {"html", "<", NULL},
        {"html", "<!", NULL},
        {"html", "Q&A, AT&T, B&D & co; &", NULL},
        {"html", "?a=1&copy=2&reg=3", NULL},
        {"html", "&#; &#x; &#xZ; &;", NULL},
        {"html", "&#0; &#xD800; &#x110000; &#99999999999;", NULL},
        /* character references */
        {"html", "Tom &amp; Jerry &quot;x&quot; &#39;y&#x27;", "Tom & Jerry \"x\" 'y'"},
        {"html", "5&deg;C &frac12; &euro;5 &trade; caf&eacute;", "5°C ½ €5 ™ café"},
        {"html", "a&nbsp;b&#160;c", "a b c"},
        {"html", "A&Amp;B &Nbsp; &Trade; &AMP;", "A&B   ™ &"},
        {"html", "it&#146;s &#153; &#8217;", "it’s ™ ’"},
        {"html", "x &copy y &amp z", "x © y & z"},
        {"html", "&#8217 x &#821", "’ x ̵"},
        /* several times */
        {"html", "&lt;p&gt;escaped&lt;/p&gt;", "escaped "},
        {"html", "&amp;amp;amp;lt;b&amp;gt;", ""},
        {"html", "<sc<b>ript>", ""},
        {"html", "&a&#109;p;lt;b>x", "x"},
    };
    (void)state;
    CHECK(cases);
}

static void test_script(void **state)
{
    static const struct text_case cases[] = {
        {"script", "a<script type=\"x\">var y = '</b>';</script>b", "a b"},
        {"script", "a<STYLE>p{}</STYLE >b", "a b"},
        {"script", "a <script>cut off", "a "},
        {"script", "<scripture> <styles>", NULL},
        {"script", "Stroller\n.style1 {\n text-align: center;\n color: #800000;\n}\n.style2{font-size: large;}\nNew",
         "Stroller\n\n\nNew"},
        {"script", "<td>.a{color:red}<br>ul,li{ margin:0 } x", "<td> <br> x"},
        {"script", "the table #superwrapper p { margin: 0px; } done", "the table  done"},
        {"script", "x .b:hover > a, #c li.d{margin:0; background:url(data:image/png;base64,AA==)} y", "x  y"},
        {"script", ".a{x:y} /* comment { */ .b{x:y}z", "z"},
        {"script", "a @media print { .x { y: z; } p { q: r } } b", "a  b"},
        {"script", "a @font-face { font-family: 'Orbitron'; src: local('x'); } b", "a  b"},
        {"script", "*{margin:0;padding:0;} x", " x"},
        {"script", "p.p1 {margin: 0.0px;} x", " x"},
        {"script", "x .p1 {margin: 0.0px; font: 17.0px; col", "x "},
        {"script", "x var a = {b: [1, '}']}; y", "x  y"},
        {"script", "x function f(a, b) { if (a) { return \"{\"; } } y", "x  y"},
        {"script", "x $(document).ready(function () { alert('x'); }); y", "x  y"},
        {"script", "x (function(){ var y = 1; })(); y", "x  y"},
        {"script", "x document.write(\"<b>\"); window.z = 1; q(2); y", "x  y"},
        {"script", "var a = 1; b = 2; if (a == b) { c(); } else { d(); } // Text", " // Text"},
        /* what is no script */
        {"script", "Interval function (10 min on, 20 min off)Dimensions", NULL},
        {"script", "view 2 documents on a window. These products", NULL},
        {"script", "colours {red, green}; sizes {S: small}", NULL},
        {"script", "{\"a\": 1}", NULL},
        {"script", "let us var; const = x; var x", NULL},
        {"script", "a = b; c = d;", NULL},
        {"script", "costs $(5); or $5;", NULL},
        {"script", "Model: X; Size: Y; {Z}", NULL},
    };
    (void)state;
    CHECK(cases);
}

static void test_characters(void **state)
{
    static const struct text_case cases[] = {
        {"whitespace", "  a \t b\r\n\nc  ", "a b c"},
        {"whitespace", "a\xC2\xA0\x62\xE3\x80\x80\x63\xE2\x80\xA9", "a b c"},
        {"whitespace", "a b", NULL},
        {"whitespace", " ", ""},
        {"control", "a\x01\x7F\x62\xC2\xAD\x63\xE2\x80\x8B\xEF\xBB\xBF", "abc"},
        {"control", "it\xC2\x92s \xC2\x95 \xC2\x81", "it’s • "},
        {"control", "می‌روم", NULL}, /* a joiner in a Persian word */
        {"control", "a\xE2\x80\x8C\x62 \xE2\x80\x8D", "ab "},
        {"control", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7", NULL}, /* a family */
        {"control", "a\tb\nc", NULL},
        {"unicode", "Cafe\xCC\x81", "Café"},
        {"unicode", "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", "각"},
        {"unicode", "\xE2\x84\xAB \xCD\xBE", "Å ;"},
        {"unicode", "q\xCC\xA3\xCC\x87", NULL},
        {"unicode", "q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"},
        {"unicode", "ﬁ ｆｕｌｌ ½", NULL},
        {"nfkc", "ﬁ ｆｕｌｌ ½", "fi full 1⁄2"},
        {"unicode", "\xFF\x65\xCC\x81\xFE", "\xFF\xC3\xA9\xFE"},
        {"quotes", "‘a’ “b” – — … 5′ 6″ «c»", "'a' \"b\" - - ... 5' 6\" \"c\""},
        {"repeated", "wow!!!!!! ----- ....", "wow!!! --- ..."},
        {"repeated", "XXXXL AAAA 0000 www", NULL},
        {"repeated", "。。。。。 ……… 😀😀😀😀😀", "。。。 ……… 😀😀😀"},
        {"repeated", "SPF50+ PA++++ ***** ★★★★★ $$$$", NULL},
        {"all", "\xFF\xC3 a\xE2\x82 b\x80", NULL}, /* invalid bytes stay */
        {"all", "Plain text, with (signs): 12.5% off!", NULL},
        {"all", "苹果手机，充电线。", NULL},
        {"all", " <b>A&nbsp;&amp;</b>\n<style>p{a:b}</style> Cafe\xCC\x81!!!!! ", "A & Café!!!"},
        {"html,whitespace", "&#32;&#32;x&nbsp;", "x"},
    };
    (void)state;
    CHECK(cases);
}

/* Nested without end: what is left of it is made harmless, and cleaning ends. */
static void test_nested(void **state)
{
    struct kit kit = kit_of("all", "");
    struct buf b = {0};
    size_t length;
    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(buf_add_str(&b, i % 3 == 0 ? "<b<i" : i % 3 == 1 ? "&a&am" : "<<"), 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(buf_add_str(&b, i % 3 == 0 ? " x='>" : i % 3 == 1 ? "p;lt;" : "b>"), 0);
    (void)cleaned(&kit, b.data, b.length, &length);
    buf_clear(&b);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(buf_add_str(&b, "<!--<![CDATA[<a x=\""), 0);
    (void)cleaned(&kit, b.data, b.length, &length);
    buf_clear(&b);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(buf_add_str(&b, "e\xCC\x81\xCC\xA7\xCC\x81"), 0);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(buf_add_str(&b, i & 1 ? "\xCC\x81" : "\xCC\xA7"), 0);
    (void)cleaned(&kit, b.data, b.length, &length);
    buf_clear(&b);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(buf_add_str(&b, ".a{b:c "), 0);
    (void)cleaned(&kit, b.data, b.length, &length);
    buf_clear(&b);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(buf_add_str(&b, "function(){ var x = ( "), 0);
    (void)cleaned(&kit, b.data, b.length, &length);
    buf_release(&b);
    kit_close(&kit);
}

static void test_masks(void **state)
{
    struct kit kit = kit_of("", "all"), email = kit_of("html", "email"), none = kit_of("html", "");
    static const char text[] = "<b>x@y.com</b> 4111 1111 1111 1111, tel. +49 30 123456";
    size_t length, other_length;
    const char *out, *other;
    (void)state;
    out = cleaned(&kit, text, strlen(text), &length);
    assert_string_equal(out, "<b>[email]</b> [card], tel. [phone]");
    out = cleaned(&email, text, strlen(text), &length);
    assert_string_equal(out, "[email] 4111 1111 1111 1111, tel. +49 30 123456");
    /* hidden by a character reference, or in a link */
    assert_int_equal(clean_mask(email.lane, "mailto:a%40b.de", 15, &out, &length), 0);
    assert_string_equal(out, "mailto:[email]");
    out = cleaned(&email, "a&#64;b&period;de", 17, &length);
    assert_string_equal(out, "[email]");
    /* carried columns and what is written otherwise: masks alone */
    assert_int_equal(clean_text(email.lane, CLEAN_SIDE_COLUMN, text, strlen(text), &out, &length), 0);
    assert_string_equal(out, "<b>[email]</b> 4111 1111 1111 1111, tel. +49 30 123456");
    assert_int_equal(clean_mask(email.lane, "q@r.com", 7, &other, &other_length), 0);
    assert_string_equal(other, "[email]");
    assert_string_equal(out, "<b>[email]</b> 4111 1111 1111 1111, tel. +49 30 123456"); /* still there */
    assert_int_equal(clean_text(none.lane, CLEAN_SIDE_COLUMN, text, strlen(text), &out, &length), 0);
    assert_ptr_equal(out, text);
    assert_true(cleaner_masks(email.cleaner) && !cleaner_masks(none.cleaner));
    kit_close(&kit);
    kit_close(&email);
    kit_close(&none);
}

static void test_counts(void **state)
{
    struct kit kit = kit_of("html,whitespace,anomalies", "email");
    const struct clean_counts *counts = clean_lane_counts(kit.lane);
    size_t length, rule;
    const char *out;
    (void)state;
    assert_int_equal(clean_text(kit.lane, CLEAN_SIDE_QUERY, "<b>a</b>  <i>b</i>", 18, &out, &length), 0);
    assert_int_equal(clean_text(kit.lane, CLEAN_SIDE_QUERY, "a  b@c.de  d@e.fr", 17, &out, &length), 0);
    assert_int_equal(clean_text(kit.lane, CLEAN_SIDE_QUERY, "clean", 5, &out, &length), 0);
    assert_int_equal(counts->texts[rule_of("html")], 1);
    assert_int_equal(counts->texts[rule_of("whitespace")], 2);
    assert_int_equal(counts->texts[rule_of("email")], 1);
    assert_int_equal(clean_row(kit.lane, "???", 3, "x", 1, &rule), 0);
    assert_int_equal(rule, rule_of("anomalies"));
    assert_int_equal(clean_row(kit.lane, "usb cable", 9, "x", 1, &rule), 0);
    assert_int_equal(rule, clean_rule_count());
    assert_int_equal(counts->rows[rule_of("anomalies")], 1);
    kit_close(&kit);
}

static void test_rows(void **state)
{
    static const struct {
        const char *rules, *query, *description, *rule; /* rule NULL: kept */
    } cases[] = {
        {"empty", "", "x", "empty"},
        {"empty", "x", "", "empty"},
        {"empty", "x", NULL, NULL},
        {"all", "x", "", NULL},
        {"anomalies", "usb cable", "A cable, 2 m", NULL},
        {"anomalies", "1984", "4006381333931", NULL},
        {"anomalies", "手机", "黑色", NULL},
        {"anomalies", "❤", "heart", NULL},
        {"anomalies", "---", "x", "anomalies"},
        {"anomalies", "aaaaa", "x", "anomalies"},
        {"anomalies", "aaa", "x", NULL},
        {"anomalies", "11 111", "x", "anomalies"},
        {"anomalies", "test test test test", "x", "anomalies"},
        {"anomalies", "New York New York", "x", NULL},
        {"anomalies", "x", "\xFF\xFE\x80\x81 binary", "anomalies"},
        {"anomalies", "caf\xE9 au lait", "a text with one bad byte", NULL},
        {"anomalies", "x", ".....", "anomalies"},
        {"anomalies", "x", "", NULL},
        {"length", "ab", "abc", NULL}, /* no limit is set */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit kit = kit_of(cases[i].rules, "");
        size_t rule, expected = cases[i].rule != NULL ? rule_of(cases[i].rule) : clean_rule_count();
        const char *d = cases[i].description;
        assert_int_equal(
            clean_row(kit.lane, cases[i].query, strlen(cases[i].query), d, d != NULL ? strlen(d) : 0, &rule), 0);
        if (rule != expected)
            fail_msg("'%s', '%s'", cases[i].query, d != NULL ? d : "none");
        kit_close(&kit);
    }
    /* limits count characters, and switch their rule on */
    struct kit kit = kit_open(
        "", "", (struct clean_options){.min_query_chars = 2, .max_query_chars = 3, .max_description_chars = 2});
    size_t rule;
    assert_true(cleaner_has(kit.cleaner, "length"));
    assert_int_equal(clean_row(kit.lane, "äöü", 6, "手机", 6, &rule), 0);
    assert_int_equal(rule, clean_rule_count());
    assert_int_equal(clean_row(kit.lane, "a", 1, "x", 1, &rule), 0);
    assert_int_equal(rule, rule_of("length"));
    assert_int_equal(clean_row(kit.lane, "abcd", 4, "x", 1, &rule), 0);
    assert_int_equal(rule, rule_of("length"));
    assert_int_equal(clean_row(kit.lane, "abc", 3, "xyz", 3, &rule), 0);
    assert_int_equal(rule, rule_of("length"));
    assert_int_equal(clean_row(kit.lane, "abc", 3, NULL, 0, &rule), 0);
    assert_int_equal(rule, clean_rule_count());
    kit_close(&kit);
    char *query = malloc(2000);
    assert_non_null(query);
    for (size_t i = 0; i < 2000; i++)
        query[i] = (char)('a' + i % 23);
    kit = kit_of("anomalies", "");
    assert_int_equal(clean_row(kit.lane, query, 2000, "x", 1, &rule), 0);
    assert_int_equal(rule, rule_of("anomalies"));
    assert_int_equal(clean_row(kit.lane, "x", 1, query, 2000, &rule), 0);
    assert_int_equal(rule, clean_rule_count());
    kit_close(&kit);
    free(query);
}

static void test_find(void **state)
{
    static const struct {
        const char *text;
        unsigned findings;
    } cases[] = {
        {"", 0},
        {"usb cable", 0},
        {"Größe 42, café, 手机 充电", 0},
        {"<b>x</b> y", CLEAN_FOUND_HTML},
        {"a &amp; b", CLEAN_FOUND_ENTITY},
        {"a <script>x</script>b", CLEAN_FOUND_SCRIPT | CLEAN_FOUND_HTML},
        {"a .x{color:red} b", CLEAN_FOUND_SCRIPT},
        {"a\xC2\xAD\x62", CLEAN_FOUND_CONTROL},
        {"a  b", CLEAN_FOUND_BLANKS},
        {"a ", CLEAN_FOUND_BLANKS},
        {"mail a@b.com", CLEAN_FOUND_EMAIL},
        {"call 1-800-591-3869", CLEAN_FOUND_PHONE},
        {"no 4111 1111 1111 1111", CLEAN_FOUND_CARD},
        {"CafÃ© and donâ€™t", CLEAN_FOUND_MOJIBAKE},
        {"æ‰‹æœº", CLEAN_FOUND_MOJIBAKE},
        {"ÃO SÃO PAULO, Ã la carte", 0},
        {"a \xEF\xBF\xBD of many words", CLEAN_FOUND_REPLACEMENT},
        {"a \xFF of many words", CLEAN_FOUND_REPLACEMENT},
        {"aaaaaaaa", CLEAN_FOUND_REPEATED},
        {"!!! ???", CLEAN_FOUND_REPEATED},
    };
    struct kit kit = kit_of("", "");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned found;
        assert_int_equal(clean_find(kit.lane, cases[i].text, strlen(cases[i].text), &found), 0);
        if (found != cases[i].findings)
            fail_msg("'%s': 0x%x, not 0x%x", cases[i].text, found, cases[i].findings);
    }
    for (size_t r = 0; r < clean_rule_count(); r++)
        assert_int_equal(clean_lane_counts(kit.lane)->texts[r], 0); /* finding counts nothing */
    kit_close(&kit);
}

static void fails(struct clean_options options, const char *rules, const char *masks, const char *message)
{
    struct cleaner *cleaner = NULL;
    char *rule_names = strdup(rules), *mask_names = strdup(masks);
    options.clean = list_of(rule_names);
    options.mask = list_of(mask_names);
    if (options.near_duplicate_threshold == 0)
        options.near_duplicate_threshold = 0.8;
    assert_int_equal(cleaner_new(&cleaner, &options), RECO_E_USAGE);
    assert_null(cleaner);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' does not say '%s'", err_message(), message);
    free(options.clean.items);
    free(options.mask.items);
    free(rule_names);
    free(mask_names);
}

static void test_options(void **state)
{
    const struct clean_options none = {0};
    (void)state;
    fails(none, "htlm", "", "--clean: 'htlm' is no rule, did you mean 'html'?");
    fails(none, "xyzzy", "", "--clean: 'xyzzy' is not one of 'control', 'script', 'html'");
    fails(none, "email", "", "--clean: 'email' belongs to --mask");
    fails(none, "", "html", "--mask: 'html' belongs to --clean");
    fails(none, "", "fone", "--mask: 'fone' is no kind of data, did you mean 'phone'?");
    fails((struct clean_options){.min_query_chars = 5, .max_query_chars = 4}, "", "",
          "--min_query_chars is over --max_query_chars");
    fails((struct clean_options){.max_description_chars = -1}, "", "", "negative");
    fails((struct clean_options){.near_duplicate_threshold = 1.5}, "", "", "--near_duplicate_threshold");
    assert_int_equal(clean_rule_check("clean", "all"), 0);
    assert_int_equal(clean_mask_check("mask", "card"), 0);

    struct kit kit = kit_of("all", "");
    for (size_t r = 0; r < clean_rule_count(); r++)
        assert_int_equal(cleaner_is_on(kit.cleaner, r), clean_rule_at(r)->in_all && !clean_rule_at(r)->mask);
    assert_true(cleaner_has(kit.cleaner, "duplicates") && !cleaner_has(kit.cleaner, "email"));
    assert_false(cleaner_has(kit.cleaner, "nothing"));
    kit_close(&kit);

    struct buf help = {0};
    assert_int_equal(clean_help_text(&help), 0);
    for (size_t r = 0; r < clean_rule_count(); r++)
        assert_non_null(strstr(buf_str(&help), clean_rule_at(r)->name));
    buf_release(&help);
}

/* The n-th allocation fails, for all n: an error, or all is well; nothing leaks. */
static void test_out_of_memory(void **state)
{
    static const char text[] = "<b>A&nbsp;</b>\n<style>p{a:b}</style> Cafe\xCC\x81!!!!! x@y.com \xC2\x92 ﬁ";
    char all[] = "all", nfkc[] = "nfkc", *names[] = {all, nfkc};
    (void)state;
    for (long n = 1;; n++) {
        const struct clean_options options = {.clean = {names, 2}, .mask = {names, 1}, .near_duplicate_threshold = 0.8};
        struct kit kit = {0};
        const char *out;
        size_t length;
        unsigned found;
        mem_fail_after(n);
        int rc = cleaner_new(&kit.cleaner, &options);
        if (rc == 0)
            rc = clean_lane_new(&kit.lane, kit.cleaner);
        if (rc == 0)
            rc = clean_text(kit.lane, CLEAN_SIDE_QUERY, text, strlen(text), &out, &length);
        if (rc == 0)
            rc = clean_find(kit.lane, text, strlen(text), &found);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        kit_close(&kit);
        if (rc == 0)
            break;
    }
}

/* Pieces of everything the rules know, put together at random: cleaning what is clean changes nothing. */
static void test_random_texts(void **state)
{
    static const char *const pieces[] = {"<",
                                         ">",
                                         "&",
                                         "amp;",
                                         "lt;",
                                         "&#60;",
                                         "<b>",
                                         "</b>",
                                         "<br/>",
                                         "<script>",
                                         "</",
                                         "{",
                                         "}",
                                         "a{b:c}",
                                         ";",
                                         " ",
                                         "\n",
                                         "\xC2\xA0",
                                         "\xE2\x80\x8B",
                                         "e",
                                         "\xCC\x81",
                                         "\xCC\xA7",
                                         "\xE1\x84\x80",
                                         "\xE1\x85\xA1",
                                         "!",
                                         "!!!!",
                                         "-",
                                         "<!--",
                                         "-->",
                                         "x@y.de",
                                         "4111111111111111",
                                         "+49 30 123456",
                                         "tel ",
                                         "var x = ",
                                         "function(){",
                                         ".a",
                                         "\xFF",
                                         "\xE2\x80",
                                         "中",
                                         "\xC2\x92",
                                         "\"",
                                         "'",
                                         "=",
                                         "/*",
                                         "*/",
                                         "@",
                                         "p",
                                         "$(",
                                         "ﬁ",
                                         "\xE2\x80\x8D",
                                         "\xF0\x9F\x98\x80",
                                         "1",
                                         "&#1",
                                         "53;",
                                         "&nbsp;",
                                         "[",
                                         "]"};
    struct kit kits[] = {kit_of("all", "all"), kit_of("all,nfkc,quotes", "all"), kit_of("html", ""),
                         kit_of("script,html", "email")};
    struct rng rng;
    struct buf b = {0};
    (void)state;
    rng_init(&rng, 7, RNG_STREAM_SAMPLE, 0);
    for (int i = 0; i < 20000; i++) {
        buf_clear(&b);
        for (uint64_t n = 1 + rng_below(&rng, 16); n > 0; n--)
            assert_int_equal(buf_add_str(&b, pieces[rng_below(&rng, sizeof pieces / sizeof pieces[0])]), 0);
        size_t length;
        (void)cleaned(&kits[i % 4], b.data, b.length, &length);
    }
    buf_release(&b);
    for (size_t i = 0; i < sizeof kits / sizeof kits[0]; i++)
        kit_close(&kits[i]);
}

/* CrowdFlower's descriptions hold tags, style sheets, references and control characters; none is left. */
static void test_real_texts(void **state)
{
    const char *dir = getenv("RECO_DATA_DIR");
    char *path = path_join(dir != NULL ? dir : RECO_SOURCE_DIR "/../shared/data", "crowdflower/train.csv");
    struct kit kit = kit_of("all", "all");
    struct csv_reader *reader = NULL;
    const struct csv_record *record = NULL;
    size_t column, changed = 0;
    (void)state;
    assert_non_null(path);
    if (!file_exists(path)) {
        print_message("skipped: no real data\n");
        mem_free(path);
        kit_close(&kit);
        skip();
    }
    assert_int_equal(csv_reader_open(&reader, path, NULL), 0);
    assert_int_equal(csv_reader_find(reader, "column", "product_description", &column), 0);
    while (csv_reader_next(reader, &record) == 0 && record != NULL) {
        const struct csv_field *field = &record->fields[column];
        size_t length;
        const char *out = cleaned(&kit, field->text, field->length, &length);
        changed += out != field->text;
        assert_null(memchr(out, '{', length));
        assert_null(memchr(out, '\n', length));
        assert_null(memmem(out, length, "nbsp", 4));
        assert_null(memmem(out, length, "<td", 3));
    }
    assert_true(changed > 2000);
    csv_reader_close(reader);
    mem_free(path);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),          cmocka_unit_test(test_script),       cmocka_unit_test(test_characters),
        cmocka_unit_test(test_nested),        cmocka_unit_test(test_masks),        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_find),         cmocka_unit_test(test_options),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_random_texts), cmocka_unit_test(test_real_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
