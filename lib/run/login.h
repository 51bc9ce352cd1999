/* lib/run/login.h - SPDX-License-Identifier: Apache-2.0 */
/* From [central] in the configuration to a session. */
#ifndef ODKS_RUN_LOGIN_H
#define ODKS_RUN_LOGIN_H

#include "central/central.h"
#include "config/config.h"

/* What an open session refers to; must outlive it. */
struct odks_login {
    /* Called about once a second while we wait for Central; may be NULL. */
    bool (*tick)(void *arg, struct odks_err *err);
    void *tick_arg;
    char *password;
    struct odks_central_login central;
};

void odks_login_clear(struct odks_login *login);
#define CLEANUP_LOGIN CLEANUP(odks_login_clear)

/*
 * Read the password and open a session with tick and tick_arg of login, which
 * is otherwise zero. The caller closes *central, then clears login.
 */
ODKS_MUST_CHECK bool odks_login(const struct odks_central_conf *conf,
                                struct odks_login *login,
                                struct odks_central **central,
                                struct odks_err *err);

#endif
