/* tch.h alone, as C++17: compiles, and links as C. */
#include "tch/tch.h"

int main()
{
    return tch_scope_end(nullptr) == TCH_E_NOMEM ? 0 : 1;
}
