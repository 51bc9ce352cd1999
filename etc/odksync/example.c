/* etc/odksync/example.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A sync of one's own, tracked with libodksync. With $CC, in C or C++:
 *
 *     cc -o example example.c $(pkg-config --cflags --libs odksync)
 *     ./example "host=db.example.org dbname=submissions" price_list 40
 *
 * It copies "records" 1 to N, and breaks off where there is a last argument
 * that names the record it cannot read.
 */
#include <odksync.h>
#include <stdio.h>
#include <stdlib.h>

static int
complain(struct odks_sync *sync)
{
    fprintf(stderr, "example: %s [%d]\n", odks_error_message(sync),
            odks_error_code(sync));
    if (odks_error_hint(sync)[0] != '\0')
        fprintf(stderr, "  %s\n", odks_error_hint(sync));
    return odks_error_code(sync);
}

/* Where your program does its work; *newest is the date of its last record. */
static int
copy_record(int record, int bad, int64_t *newest)
{
    *newest = INT64_C(1793700000000000) + (int64_t) record * 60000000;
    return record == bad ? -1 : 0;
}

static int
copy_all(struct odks_sync *sync, const char *sync_type, int count, int bad)
{
    int64_t since, newest = ODKS_TIME_NONE;
    int i;

    if (odks_get_last_sync_time(sync, sync_type, &since) != 0)
        return complain(sync);

    /* left by any return without success, it is recorded as failed */
    ODKS_SYNC_SCOPE struct odks_scope *scope =
        odks_enter_scope(sync, sync_type, NULL);
    if (scope == NULL)
        return complain(sync);

    for (i = 1; i <= count; i++) {
        if (copy_record(i, bad, &newest) != 0) {
            fprintf(stderr, "example: cannot read record %d\n", i);
            return 1;
        }
        if (i % 10 == 0
            && odks_update_progress(sync, odks_scope_history_id(scope), i,
                                    newest, NULL)
                   != 0)
            return complain(sync);
    }
    if (odks_complete_scope(scope, count, newest, "{\"source\": \"example\"}")
        != 0)
        return complain(sync);
    return 0;
}

static int
print_last_sync_time(struct odks_sync *sync, const char *sync_type)
{
    char text[ODKS_TIME_SIZE];
    int64_t time;

    if (odks_get_last_sync_time(sync, sync_type, &time) != 0)
        return complain(sync);
    if (time != ODKS_TIME_NONE
        && odks_format_time(time, text, sizeof(text)) == 0)
        printf("%s is synced up to %s\n", sync_type, text);
    return 0;
}

int
main(int argc, char **argv)
{
    struct odks_sync *sync;
    int status;

    if (argc < 4) {
        fprintf(stderr, "usage: example CONNINFO SYNC_TYPE COUNT [BAD]\n");
        return ODKS_E_USAGE;
    }
    status = odks_open(argv[1], NULL, &sync);
    if (status != 0)
        complain(sync);
    if (status == 0)
        status = copy_all(sync, argv[2], (int) strtol(argv[3], NULL, 10),
                          argc > 4 ? (int) strtol(argv[4], NULL, 10) : 0);
    if (status == 0)
        status = print_last_sync_time(sync, argv[2]);
    odks_close(sync);
    return status;
}
