#include "cli/device.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 1024 };

int device_parse(struct device_choice *out, const char *text)
{
    struct device_choice choice = {.any = strcmp(text, "auto") == 0, .cuda = strncmp(text, "cuda", 4) == 0};
    bool valid = choice.any || strcmp(text, "cpu") == 0 || strcmp(text, "cuda") == 0;
    if (choice.cuda && text[4] == ':' && text[5] >= '0' && text[5] <= '9') {
        char *end;
        long index = strtol(text + 5, &end, 10);
        valid = *end == '\0' && index < MAX_DEVICES;
        choice.index = valid ? (int)index : 0;
    }
    if (!valid)
        return err_set(RECO_E_USAGE, "'%s' is not a device: expected auto, cpu, cuda or cuda:N", text);
    *out = choice;
    return 0;
}

int device_check(const char *name, const char *value)
{
    struct device_choice choice;
    (void)name;
    return device_parse(&choice, value);
}
