/* bin/odk-sync.c - SPDX-License-Identifier: Apache-2.0 */
/* Parse, dispatch, and turn what happened into an exit code. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bin/cmd.h"
#include "core/log.h"
#include "core/stop.h"

const struct odks_command odks_commands[] = {
    { "run", "[TYPE...]", 0, -1,
      "Do the jobs that are due, or the named ones now",
      "  odk-sync run                        what is due (for cron)\n"
      "  odk-sync run main_submissions       this one now\n"
      "  odk-sync run main_submissions --full --max-time=10m\n"
      "  odk-sync run main_submissions --dry-run\n",
      odks_cmd_run },
    { "exec", "TYPE -- CMD [ARG...]", 2, -1,
      "Run any program as a tracked job; its exit code is passed on",
      "  odk-sync exec nightly_export -- /opt/export.sh --all\n"
      "  odk-sync exec rates --max-time=10m -- python3 rates.py\n",
      odks_cmd_exec },
    { "enqueue", "TYPE", 1, 1, "Put a job into the queue for a later run",
      "  odk-sync enqueue main_submissions --at=2026-12-01T02:00:00Z\n",
      odks_cmd_enqueue },
    { "queue", "", 0, 0, "Show the jobs that wait, run or gave up", NULL,
      odks_cmd_queue },
    { "cancel", "ID | TYPE", 1, 1,
      "Cancel a job, or all jobs of a type, waiting or running",
      "  odk-sync cancel 17\n"
      "  odk-sync cancel main_submissions\n",
      odks_cmd_cancel },
    { "retry", "ID | TYPE", 1, 1, "Let a waiting or dead job run now",
      "  odk-sync retry 17\n"
      "  odk-sync retry main_submissions\n"
      "  odk-sync retry --rejects main_submissions  values that did not fit\n",
      odks_cmd_retry },
    { "pause", "TYPE", 1, 1, "Leave a type out until it is resumed", NULL,
      odks_cmd_pause },
    { "resume", "TYPE", 1, 1, "End a pause", NULL, odks_cmd_resume },
    { "forget", "TYPE", 1, 1, "Drop a type that is no longer configured",
      "  odk-sync forget old_survey      its history and tables stay\n",
      odks_cmd_forget },
    { "status", "", 0, 0, "Show per type: how fresh, how much, what is wrong",
      NULL, odks_cmd_status },
    { "history", "[TYPE]", 0, 1, "Show the attempts, newest first", NULL,
      odks_cmd_history },
    { "schema", "show|diff TYPE", 2, 2,
      "Show a form's tables, or what the next run would change in them",
      "  odk-sync schema show main_submissions\n"
      "  odk-sync schema diff main_submissions     SQL, for a look\n",
      odks_cmd_schema },
    { "stats", "", 0, 0, "Show numbers per type, as the old service did", NULL,
      odks_cmd_stats },
    { "health", "", 0, 0, "Say whether something needs a person", NULL,
      odks_cmd_health },
    { "prune", "", 0, 0, "Forget old attempts", "  odk-sync prune --days=7\n",
      odks_cmd_prune },
    { "get", "TYPE", 1, 1, "Print the last sync time of a type",
      "  since=$(odk-sync get main_submissions)\n", odks_cmd_get },
    { "set", "TYPE T", 2, 2, "Set the last sync time of a type",
      "  odk-sync set main_submissions 2026-11-23T16:15:00Z\n", odks_cmd_set },
    { "import-state", "FILE [TYPE...]", 1, -1,
      "Take over the last_sync.txt of the old service",
      "  odk-sync import-state /opt/okd_sync/last_sync.txt\n",
      odks_cmd_import_state },
    { "export-state", "[TYPE]", 0, 1,
      "Write a last_sync.txt for the old service",
      "  odk-sync export-state -o /opt/okd_sync/last_sync.txt\n",
      odks_cmd_export_state },
    { "init", "", 0, 0, "Create or upgrade the tables",
      "  odk-sync init\n"
      "  odk-sync init --print >init.sql     for a database administrator\n"
      "  odk-sync init --check\n",
      odks_cmd_init },
    { "config", "", 0, 0, "Show the values in force and where they come from",
      NULL, odks_cmd_config },
    { "discover", "", 0, 0, "List projects and forms, as INI sections",
      "  odk-sync discover >>odk-sync.ini\n", odks_cmd_discover },
    { "doctor", "", 0, 0, "Check everything, each with its fix", NULL,
      odks_cmd_doctor },
    { "help", "[COMMAND]", 0, 1, "Show this help, or that of a command",
      "  odk-sync help run\n", odks_cmd_help },
    { 0 },
};

enum odks_exit
odks_cmd_help(const struct odks_cli *cli, struct odks_err *err)
{
    return odks_cli_help(cli->arg_count > 0 ? cli->args[0] : NULL, err)
               ? ODKS_EXIT_OK
               : err->code;
}

/* Passwords are in our memory: leave no core file with them. */
static void
protect_secrets(void)
{
    const struct rlimit none = { 0, 0 };

    (void) prctl(PR_SET_DUMPABLE, 0);
    (void) setrlimit(RLIMIT_CORE, &none);
}

/* Else the socket to the database may become stderr. */
static void
have_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void) open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    }
}

/* A full disk or a closed pipe behind stdout must not look like success. */
static enum odks_exit
flush_output(enum odks_exit code)
{
    bool failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0 || failed) {
        struct odks_err err = ODKS_ERR_INIT;

        odks_err_set(&err, ODKS_EXIT_IO, "cannot write the output");
        odks_log_err(ODKS_LOG_ERROR, &err);
        return odks_exit_worse(code, ODKS_EXIT_IO);
    }
    return code;
}

static enum odks_exit
dispatch(int argc, char *argv[])
{
    struct odks_cli cli;
    struct odks_err err = ODKS_ERR_INIT;
    enum odks_exit code;

    if (odks_cli_parse(argc, argv, &cli, &code, &err))
        code = cli.command->run(&cli, &err);
    if (err.code != ODKS_EXIT_OK) {
        odks_log_err(ODKS_LOG_ERROR, &err);
        code = odks_exit_worse(code, err.code);
    }
    return code;
}

int
main(int argc, char *argv[])
{
    have_streams();
    protect_secrets();
    odks_stop_install();
    enum odks_exit code = flush_output(dispatch(argc, argv));
    odks_stop_reraise();
    return (int) code;
}
