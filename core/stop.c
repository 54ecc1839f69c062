#include "core/stop.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t received;

static void restore_default(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void on_signal(int number)
{
    received = number;
    restore_default();
}

static void install(int number)
{
    struct sigaction action;
    /* nohup and shells with background jobs start programs with SIGINT ignored; that wish is kept. */
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void stop_install(void)
{
    received = 0;
    install(SIGINT);
    install(SIGTERM);
}

bool stop_requested(void)
{
    return received != 0;
}

int stop_signal(void)
{
    return received;
}
