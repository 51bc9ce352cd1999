/* lib/run/login.c - SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "run/login.h"

#include <string.h>

void
odks_login_clear(struct odks_login *login)
{
    if (login->password != NULL)
        explicit_bzero(login->password, strlen(login->password));
    free(login->password);
    login->password = NULL;
}

bool
odks_login(const struct odks_central_conf *conf, struct odks_login *login,
           struct odks_central **central, struct odks_err *err)
{
    *central = NULL;
    if (!odks_config_central_password(conf, &login->password, err))
        return false;
    login->central = (struct odks_central_login){
        .http = { .origin = conf->url,
                  .ca_file = conf->ca_file,
                  .timeout_s = conf->timeout_s,
                  .stall_s = conf->stall_s,
                  .retry_s = conf->retry_s,
                  .tick = login->tick,
                  .tick_arg = login->tick_arg },
        .user = conf->user,
        .password = login->password,
        .max_row_bytes = conf->max_row_bytes,
    };
    return odks_central_open(&login->central, central, err);
}
