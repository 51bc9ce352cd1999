/* bin/cmd_config.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "bin/cmd.h"

enum odks_exit
odks_cmd_config(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;

    if (cli->from_env && (cli->json || cli->config_path != NULL)) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "--from-env makes an INI file from variables: --%s does "
                     "not go with it",
                     cli->json ? "json" : "config");
        return err->code;
    }
    if (!odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    if (cli->from_env)
        odks_config_print_file(cfg, stdout);
    else
        odks_config_print(cfg, cli->json, stdout);
    return ODKS_EXIT_OK;
}
