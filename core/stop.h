#ifndef RECO_CORE_STOP_H
#define RECO_CORE_STOP_H

/*
 * SIGINT and SIGTERM set a flag that long loops ask (stop_requested); they then save what they have and return
 * RECO_E_STOPPED. A second signal ends the process at once.
 */

#include <stdbool.h>

void stop_install(void); /* cli calls it for commands with the CMD_STOPPABLE flag */
bool stop_requested(void);
int stop_signal(void); /* the signal, 0 when none */

#endif
