/* bin/cmd_exec.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "bin/cmd.h"
#include "core/stop.h"
#include "jobs/kinds.h"
#include "run/run.h"

enum { TYPE_MAX = 50 }; /* sync_type is varchar(50) */

static bool
check(const struct odks_cli *cli, struct odks_err *err)
{
    const char *type = cli->args[0];

    if (!cli->dashes) {
        odks_err_set(err, ODKS_EXIT_USAGE,
                     "odk-sync exec: there is no \"--\" in front of the "
                     "command");
        odks_err_hint(err, "Usage: odk-sync exec TYPE -- CMD [ARG...]");
        return false;
    }
    if (type[0] == '\0' || strlen(type) > TYPE_MAX) {
        odks_err_set(err, ODKS_EXIT_USAGE, "a TYPE has 1 to %d bytes, not %zu",
                     TYPE_MAX, strlen(type));
        return false;
    }
    for (; *type != '\0'; type++) {
        if ((unsigned char) *type <= ' ' || (unsigned char) *type >= 0x7f) {
            odks_err_set(err, ODKS_EXIT_USAGE,
                         "a TYPE is made of ASCII characters without spaces");
            return false;
        }
    }
    return true;
}

enum odks_exit
odks_cmd_exec(const struct odks_cli *cli, struct odks_err *err)
{
    CLEANUP_CONFIG struct odks_config *cfg = NULL;

    if (!check(cli, err) || !odks_cmd_config_load(cli, &cfg, err))
        return err->code;
    const struct odks_job_conf job = {
        .sync_type = cli->args[0],
        .kind = odks_kind_command.name,
        .priority = 100,
        .max_failures = 1,
        .argv = &cli->args[1],
    };
    const struct odks_run_options options = {
        .exec = &job,
        .fail_if_idle = cli->fail_if_idle,
        .kinds = odks_job_kinds,
    };
    int64_t limit = odks_config_run(cfg)->max_time_s;
    if (limit > 0)
        odks_stop_at(odks_deadline_in(limit * 1000));
    return odks_run(cfg, &options);
}
