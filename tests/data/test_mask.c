#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/csv.h"
#include "data/mask.h"

static const char *const kinds[MASK_KINDS] = {"email", "card", "phone"};

/* The one thing found in text is what. */
static void finds(enum mask_kind kind, const char *text, const char *what)
{
    struct mask_span span;
    size_t length = strlen(text);
    if (!mask_find(kind, text, length, 0, &span))
        fail_msg("no %s in '%s'", kinds[kind], text);
    if (span.length != strlen(what) || memcmp(text + span.start, what, span.length) != 0)
        fail_msg("%s '%.*s' in '%s'", kinds[kind], (int)span.length, text + span.start, text);
    if (mask_find(kind, text, length, span.start + span.length, &span))
        fail_msg("another %s '%.*s' in '%s'", kinds[kind], (int)span.length, text + span.start, text);
}

static void finds_nothing(const char *text)
{
    struct mask_span span;
    for (int kind = 0; kind < MASK_KINDS; kind++)
        if (mask_find((enum mask_kind)kind, text, strlen(text), 0, &span))
            fail_msg("%s '%.*s' in '%s'", kinds[kind], (int)span.length, text + span.start, text);
}

static void test_email(void **state)
{
    static const char *const cases[][2] = {
        {"mail john.doe@example.co.uk.", "john.doe@example.co.uk"},
        {"(noreply@esd.synnex.com).", "noreply@esd.synnex.com"},
        {"mailto:a_b+tag@x-y.org?subject=1", "a_b+tag@x-y.org"},
        {"CUSTOMER_SERVICE@WHITMOR.COM", "CUSTOMER_SERVICE@WHITMOR.COM"},
        {"o'neil@mail.ie", "o'neil@mail.ie"},
        {"<b>x@example.com</b>", "x@example.com"},
        {"a&#64;example.com", "a&#64;example.com"},
        {"a%40example.com", "a%40example.com"},
        {"邮箱1746606257@qq.com百度", "1746606257@qq.com"},
        {"x@xn--bcher-kva.xn--p1ai y", "x@xn--bcher-kva.xn--p1ai"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        finds(MASK_EMAIL, cases[i][0], cases[i][1]);
}

static void test_card(void **state)
{
    /* the numbers that payment services publish for tests */
    static const char *const cases[][2] = {
        {"card 4111111111111111.", "4111111111111111"},
        {"4111 1111 1111 1111", "4111 1111 1111 1111"},
        {"4111-1111-1111-1111, exp 12/27", "4111-1111-1111-1111"},
        {"5555555555554444", "5555555555554444"},
        {"2223003122003222", "2223003122003222"},
        {"378282246310005", "378282246310005"},
        {"3782 822463 10005", "3782 822463 10005"},
        {"6011111111111117", "6011111111111117"},
        {"3056 930902 5904", "3056 930902 5904"},
        {"3530111333300000", "3530111333300000"},
        {"6205500000000000004", "6205500000000000004"},
        {"4222 222 222 222", "4222 222 222 222"},
        {"卡号4111111111111111。", "4111111111111111"},
        {"7,4111111111111111,good", "4111111111111111"}, /* a record of a CSV file */
        {"7,\"4111111111111111\",good", "4111111111111111"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        finds(MASK_CARD, cases[i][0], cases[i][1]);
}

static void test_phone(void **state)
{
    static const char *const cases[][2] = {
        {"call +49 30 123456 now", "+49 30 123456"},
        {"+49 (0) 30 123456", "+49 (0) 30 123456"},
        {"+1-800-555-0123", "+1-800-555-0123"},
        {"+1 (212) 555-0123.", "+1 (212) 555-0123"},
        {"+8613800138000", "+8613800138000"},
        {"+44 20 7946 0958", "+44 20 7946 0958"},
        {"(212) 555-0123", "(212) 555-0123"},
        {"7,212-555-0123,good", "212-555-0123"},
        {"7,\"212-555-0123\",3", "212-555-0123"},
        {"7\t+49 30 123456\t3", "+49 30 123456"},
        {"(212)555-0123", "(212)555-0123"},
        {"Call Target at 1-800-591-3869.        Online Item #: 102669", "1-800-591-3869"},
        {"HSN.com at 800.933.2887 (8 am-1 am ET).", "800.933.2887"},
        {"010-52262798", "010-52262798"},
        {"0755-66607001", "0755-66607001"},
        {"138-0013-8000", "138-0013-8000"},
        {"龙兰花行盆景13737667738", "13737667738"},
        {"电话86-0576-86972115", "86-0576-86972115"},
        {"客服电话4008821755", "4008821755"},
        {"03-1234-5678", "03-1234-5678"},
        {"090-1234-5678", "090-1234-5678"},
        {"01 23 45 67 89", "01 23 45 67 89"},
        {"01.23.45.67.89", "01.23.45.67.89"},
        {"020 7946 0958", "020 7946 0958"},
        {"07700 900123", "07700 900123"},
        {"030/12345678", "030/12345678"},
        {"(030) 12345678", "(030) 12345678"},
        {"(11) 91234-5678", "(11) 91234-5678"},
        {"0812-3456-7890", "0812-3456-7890"},
        {"Tel.: 555 0123", "555 0123"},
        {"WA 081234567890", "081234567890"},
        {"WhatsApp: 0812 3456 789", "0812 3456 789"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        finds(MASK_PHONE, cases[i][0], cases[i][1]);
}

/* What product texts are full of. */
static void test_other_numbers(void **state)
{
    static const char *const cases[] = {
        "",
        "@",
        "a @ b",
        "12 MP, 720p @ 30fps",
        "icon@2x.5",
        "@handle",
        "user@localhost",
        "3pcs@5.90",
        "x@y.z",
        "a@.com",
        "a@b..com",
        "eBay item number:171300609337   Seller assumes all",
        "Pack STOCK NUMBER: 75456 UPC: 091141754563",
        "Country of Origin: Belgium. ISBN: 0-587-11871-7. All canvases ship",
        "ISBN 978-3-16-148410-0",
        "ISBN:9780736481250 Height: 9.25 in",
        "RAY BAN Sunglasses RB 3025 112/17 Gold Blue Mirror 55",
        "battery and 0-1027102019-5 Weight:5.8 lbs",
        "Wireless Mouse - Multicolor (910-003702)",
        "Samsonite 43876-1041 Wheeled Business Case",
        "Model: 039184-54301",
        "Store Item Number (DPCI): 083-11-2513  Made in the USA",
        "Twin Cam 88 & 103 1999-2005 (Paperback)",
        "Innovation 7-38012-11173-4 PlayStation3",
        "GSM 850 / 900 / 1800 / 1900, 3G",
        "Frequency/Band: 850/900/1800/1900 MHz",
        "Nintendo Wii White Console (45496880019)",
        "American Standard 4101.301.002 Chrome Arch",
        "Walmart #: 552502668 PlayStation Vita Book",
        "SodaStream 1020156012 sodamix",
        "GE 41032-48 75-watt A19 Soft White",
        "Initial Lumens 615/1540/2155 Rated Life: 1200 hours",
        "Deluxe Hand Warmer w/ Pouch 40285 40310",
        "tote #47-04921-001 - Tote Bags",
        "Sunbeam 9800-030-757 Imperial Nights",
        "UPC: 6-57433-00403-96-57433-00634-7 Product Type",
        "Disney Infinity 1205480000000 120548 Infinity 2.0",
        "Conditioner Combo, 10.5 oz (150601/150595)",
        "DPI 800 / 1200 / 1600, White",
        "Bosch 0 280 155 968 injector",
        "Bosch 0280 155 968",
        "0986 494 123",
        "最新更新2012-02-14230208晋江文学城",
        "供应20-40-60-80-100侧柏苗营养杯",
        "系列全集1596350646百度知道",
        "2018041620180429迅雷下载",
        "Price $1,234,567.00",
        "$800-555-0123",
        "£800.555.0123",
        "Rp 125.000.000",
        "1 234 567 890",
        "130 x 90 x 130 mm",
        "12.05.2015 10:30:15",
        "2015-04-30 01:33:59",
        "05/12/2015 - 06/12/2016",
        "192.168.100.101",
        "version 2.10.1234.5678",
        "3.14159265358979",
        "Part A-212-555-1234-B",
        "model 212-555-0123", /* a number that is said to be something else */
        "EAN 4006381333931",
        "4006381333931",
        "5901234123457 5901234123464",
        "10012345678902",   /* ITF-14 */
        "356938035643809",  /* an IMEI passes the Luhn check */
        "4111111111111112", /* fails it */
        "4111 1111 1111 1112",
        "41111111111111110000000", /* too long */
        "x4111111111111111",
        "1234567812345670", /* passes it, but no issuer */
        "6 7 8 9 10 11 12 13 14",
        "100+ 200+ 300+ 4000000",
        "4+64GB 6+128GB",
        "2+1 12345",
        "911-411-0123",
        "(45496) 880019",
        "() (1) (12)",
        "+",
        "+1",
        "++1234567890",
        "1080p+20000000 px",
        "Size 32-34-36-38-40",
        "0000000000",
        "tel 123456", /* too short */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        finds_nothing(cases[i]);
}

static void test_all_of_a_text(void **state)
{
    static const char text[] =
        "a@b.de, c@d.fr and e@f.it; 4111111111111111/4111111111111111 +49 30 123456 +49 30 123457";
    size_t counts[MASK_KINDS] = {0};
    (void)state;
    for (int kind = 0; kind < MASK_KINDS; kind++) {
        struct mask_span span;
        for (size_t at = 0; mask_find((enum mask_kind)kind, text, strlen(text), at, &span);
             at = span.start + span.length)
            counts[kind]++;
    }
    assert_int_equal(counts[MASK_EMAIL], 3);
    assert_int_equal(counts[MASK_CARD], 0); /* one of two that belong together is not a number by itself */
    assert_int_equal(counts[MASK_PHONE], 2);
    assert_string_equal(mask_text(MASK_EMAIL), "[email]");
    assert_string_equal(mask_text(MASK_CARD), "[card]");
    assert_string_equal(mask_text(MASK_PHONE), "[phone]");
}

/* Titles hold no personal data: every hit is wrong. Queries and descriptions were looked through by eye. */
static void test_real_titles(void **state)
{
    static const struct {
        const char *file, *column;
        size_t most;
    } sets[] = {{"crowdflower/train.csv", "product_title", 0},
                {"crowdflower/train.csv", "query", 0},
                {"chorus_icecat/pairs.csv", "title", 0},
                {"chorus_icecat/pairs.csv", "description", 0},
                {"amazon_google/amazon_google_train.csv", "left_title", 0},
                {"amazon_google/amazon_google_train.csv", "right_title", 0},
                {"shopee_titles/train.csv", "title", 0},
                {"crowdflower/train.csv", "product_description", 11},
                {"qbqtc_zh/dev.csv", "title", 12},
                {"lcqmc_zh/dev.csv", "sentence1", 0}};
    const char *dir = getenv("RECO_DATA_DIR");
    size_t read = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char *path = path_join(dir != NULL ? dir : RECO_SOURCE_DIR "/../shared/data", sets[i].file);
        struct csv_reader *reader = NULL;
        const struct csv_record *record = NULL;
        size_t column, hits = 0;
        assert_non_null(path);
        if (!file_exists(path)) {
            mem_free(path);
            continue;
        }
        assert_int_equal(csv_reader_open(&reader, path, NULL), 0);
        assert_int_equal(csv_reader_find(reader, "column", sets[i].column, &column), 0);
        while (csv_reader_next(reader, &record) == 0 && record != NULL) {
            struct mask_span span;
            for (int kind = 0; record->bad == NULL && kind < MASK_KINDS; kind++)
                for (size_t at = 0; mask_find((enum mask_kind)kind, record->fields[column].text,
                                              record->fields[column].length, at, &span);
                     at = span.start + span.length) {
                    hits++;
                    if (sets[i].most == 0)
                        print_message("%s %s: %.*s\n", sets[i].file, sets[i].column, (int)span.length,
                                      record->fields[column].text + span.start);
                }
            read++;
        }
        assert_true(hits <= sets[i].most);
        csv_reader_close(reader);
        mem_free(path);
    }
    if (read == 0) {
        print_message("skipped: no real data\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_email),         cmocka_unit_test(test_card),          cmocka_unit_test(test_phone),
        cmocka_unit_test(test_other_numbers), cmocka_unit_test(test_all_of_a_text), cmocka_unit_test(test_real_titles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
