#ifndef RECO_CLI_TORCH_DEVICE_H
#define RECO_CLI_TORCH_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "tch/tch.h"

/*
 * Starts libtorch with the threads asked for (0: one a processor; *threads is what was taken) and the device of
 * --device. RECO_E_MODEL: CUDA asked for and no driver, no such device, or not in this build.
 * RECO_E_USAGE: bf16 on the CPU.
 */
int torch_device_open(struct tch_device *out, int *threads, const char *device, int64_t threads_asked,
                      bool bf16) RECO_MUST_CHECK;

/* The model directory that a name stands for: itself, or models/<name>. RECO_E_MODEL says how to fetch it. The caller
 * frees. */
int torch_model_dir(char **out, const char *name_or_path) RECO_MUST_CHECK;

#endif
