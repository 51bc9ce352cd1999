/* bin/cmd_config.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/cmd.h"

enum odks_exit
odks_cmd_config(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;

    if (!odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    odks_config_print(cfg, cli->json, stdout);
    return ODKS_EXIT_OK;
}
