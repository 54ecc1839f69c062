#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/script_detect.h"

static void test_scripts(void **state)
{
    static const struct {
        const char *text, *script;
    } cases[] = {
        {"", "none"},
        {"12.5 % -- 2015", "none"},
        {"USB cable", "latin"},
        {"Größe: 42 ½", "latin"},
        {"Ἑλληνικά ελληνικά", "greek"},
        {"кабель USB", "cyrillic"},
        {"Հայերեն", "armenian"},
        {"ქართული", "georgian"},
        {"כבל טעינה", "hebrew"},
        {"كابل شحن", "arabic"},
        {"चार्जिंग केबल", "devanagari"},
        {"சார்ஜிங்", "tamil"},
        {"สายชาร์จ", "thai"},
        {"苹果手机充电线", "han"},
        {"充電ケーブル", "kana"},
        {"そう言うことで日本語文章東京", "kana"},
        {"ケーブル", "kana"},
        {"충전 케이블", "hangul"},
        {"\xF0\xA0\x80\x80", "han"}, /* U+20000 */
        {"ᎣᏏᏲ", "other"},
        {"\xff\xfe\x80", "none"},
        {"iPhone 手机", "latin"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(script_name(script_detect(cases[i].text, strlen(cases[i].text))), cases[i].script);
    assert_string_equal(script_name(0), "none");
    assert_string_equal(script_name(script_count() - 1), "other");
    assert_string_equal(script_name(script_of('x')), "latin");
    assert_true(script_is_spaceless(script_of(0x4E00)) && script_is_spaceless(script_of(0x30AB)));
    assert_false(script_is_spaceless(0) || script_is_spaceless(script_of('x')) ||
                 script_is_spaceless(script_of(0xAC00)));
    assert_string_equal(script_name(script_of(0xD7)), "none"); /* the multiplication sign */
    assert_string_equal(script_name(script_of(0x30AB)), "kana");
    assert_string_equal(script_name(script_of(0x10FFFF)), "none");
}

static void test_languages(void **state)
{
    static const struct {
        const char *text, *language;
    } cases[] = {
        {"This case is made for your phone and comes in a box with the charger.", "en"},
        {"Women's running shoes with memory foam, size 8", "en"},
        {"Die Tasche ist aus Leder und wird mit einem Gurt geliefert.", "de"},
        {"Damen Jacke für den Winter, Größe M", "de"},
        {"Un sac en cuir avec une fermeture pour les femmes, couleur noir", "fr"},
        {"Esta mesa tiene dos bases que se pueden mover con facilidad", "es"},
        {"Una borsa di pelle con chiusura, colore nero, per donna", "it"},
        {"Uma bolsa de couro com fecho, não é para crianças", "pt"},
        {"Een leren tas met een riem, ook voor dames", "nl"},
        {"En väska av läder som är för dam, och den har en rem", "sv"},
        {"En taske af læder til dame, farve sort, størrelse M", "da"},
        {"Skórzana torebka damska, kolor czarny, z paskiem i do pracy", "pl"},
        {"Dámská kožená kabelka, barva černá, velikost M", "cs"},
        {"Kadın deri çanta, siyah renk, yeni ve çok güzel", "tr"},
        {"Túi da cho nữ màu đen, hàng chính hãng và không rách", "vi"},
        {"Tas kulit wanita warna hitam murah dan bagus untuk kerja", "id"},
        {"Naisten nahkalaukku, väri musta, ja se on hyvä", "fi"},
        {"Női bőr táska, fekete szín, és nem nehéz", "hu"},
        {"Geantă din piele pentru femei, culoare negru și mare", "ro"},
        {"Кожаная сумка для женщин, чёрная", "ru"},
        {"Шкіряна сумка для жінок, чорна", "uk"},
        {"女士真皮手提包 黑色", "zh"},
        {"レディース 本革バッグ 黒", "ja"},
        {"여성 가죽 가방 검정", "ko"},
        {"حقيبة جلدية للنساء سوداء", "ar"},
        {"کیف چرمی زنانه مشکی", "fa"},
        {"Samsung Galaxy S5 16GB SM-G900V", "unknown"},
        {"a4ce33ce18b19a6d", "unknown"},
        {"", "unknown"},
        {"the the the the", "unknown"}, /* one word proves nothing */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *language = language_name(language_guess(cases[i].text, strlen(cases[i].text)));
        if (strcmp(language, cases[i].language) != 0)
            fail_msg("'%s' is %s, not %s", cases[i].text, language, cases[i].language);
    }
    for (size_t i = 0; i < language_count(); i++)
        assert_true(strlen(language_name(i)) == 2 || i == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scripts), cmocka_unit_test(test_languages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
