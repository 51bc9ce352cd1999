/* tests/contract/stream.c - SPDX-License-Identifier: Apache-2.0 */
/*
 * A body made while it is sent: compressed if asked for, and spoilt in the
 * way that a scripted rule wants.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>
#include <zlib.h>

#include "standin.h"

struct sc_stream {
    struct sc_request *q;
    struct sc_server *server;
    sc_more more;
    void (*done)(void *);
    void *arg;
    struct sc_buf made; /* what more() gave and is not yet taken */
    size_t off;
    uint64_t raw, sent;
    bool ended, gzip, in_end, drained, stalled;
    z_stream z;
    unsigned char in[32768];
    int64_t cut, cut_clean, stall_at, slow, wrong; /* -1: none */
    double stall_s;
};

/* In slices, so that the end of the program need not wait. */
void
sc_sleep(struct sc_server *s, double seconds)
{
    while (seconds > 0 && !s->stopping) {
        double slice = seconds < 0.05 ? seconds : 0.05;
        struct timespec ts = { 0, (long) (slice * 1e9) };

        (void) nanosleep(&ts, NULL);
        seconds -= slice;
    }
}

/* Up to max bytes of the body before compression; 0 at its end. */
static size_t
take(struct sc_stream *st, char *to, size_t max)
{
    while (st->off == st->made.len && !st->ended) {
        st->made.len = st->off = 0;
        st->ended = !st->more(st->arg, &st->made);
    }
    size_t n = st->made.len - st->off;
    if (n > max)
        n = max;
    if (st->cut_clean >= 0 && st->raw + n > (uint64_t) st->cut_clean)
        n = (size_t) ((uint64_t) st->cut_clean - st->raw);
    if (n > 0)
        memcpy(to, st->made.p + st->off, n);
    st->off += n;
    st->raw += n;
    return n;
}

static size_t
deflated(struct sc_stream *st, char *to, size_t max)
{
    st->z.next_out = (unsigned char *) to;
    st->z.avail_out = (unsigned) max;
    while (st->z.avail_out == max && !st->drained) {
        if (st->z.avail_in == 0 && !st->in_end) {
            size_t n = take(st, (char *) st->in, sizeof(st->in));

            st->z.next_in = st->in;
            st->z.avail_in = (unsigned) n;
            st->in_end = n == 0;
        }
        int rc = deflate(&st->z, st->in_end ? Z_FINISH : Z_NO_FLUSH);
        st->drained = rc == Z_STREAM_END;
    }
    return max - st->z.avail_out;
}

static size_t
at_most(const struct sc_stream *st, size_t max)
{
    if (st->cut >= 0 && (uint64_t) st->cut - st->sent < max)
        max = (size_t) ((uint64_t) st->cut - st->sent);
    if (!st->stalled && st->stall_at > (int64_t) st->sent
        && (uint64_t) st->stall_at - st->sent < max)
        max = (size_t) ((uint64_t) st->stall_at - st->sent);
    if (st->slow > 0 && (size_t) st->slow / 20 + 1 < max)
        max = (size_t) st->slow / 20 + 1;
    return max;
}

static ssize_t
fill(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct sc_stream *st = cls;
    size_t n;

    (void) pos;
    if (st->cut >= 0 && st->sent >= (uint64_t) st->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (st->stall_at >= 0 && !st->stalled
        && st->sent >= (uint64_t) st->stall_at) {
        st->stalled = true;
        sc_sleep(st->server, st->stall_s);
    }
    if (st->server->stopping)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    max = at_most(st, max);
    if (st->slow > 0)
        sc_sleep(st->server, 0.05);
    n = st->gzip ? deflated(st, buf, max) : take(st, buf, max);
    if (n == 0)
        return st->wrong > 0 ? MHD_CONTENT_READER_END_WITH_ERROR
                             : MHD_CONTENT_READER_END_OF_STREAM;
    st->sent += n;
    st->q->bytes = st->sent;
    return (ssize_t) n;
}

static void
stream_free(void *cls)
{
    struct sc_stream *st = cls;

    if (st->done != NULL)
        st->done(st->arg);
    if (st->gzip)
        (void) deflateEnd(&st->z);
    sc_buf_free(&st->made);
    free(st);
}

static int64_t
wanted(struct json_object *v)
{
    return v == NULL ? -1 : json_object_get_int64(v);
}

/* All of the body beforehand, to put something else into it. */
static void
make_all(struct sc_stream *st)
{
    while (!st->ended) {
        struct sc_buf part = { 0 };

        st->ended = !st->more(st->arg, &part);
        sc_buf_put(&st->made, part.p, part.len);
        sc_buf_free(&part);
    }
    sc_buf_str(&st->made, "");
    sc_spoil_body(st->q, &st->made);
}

struct sc_stream *
sc_stream_new(struct sc_request *q, sc_more more, void (*done)(void *),
              void *arg)
{
    struct sc_stream *st = sc_alloc(sizeof(*st));
    const char *accept = sc_header(q, "Accept-Encoding");
    struct json_object *stall = sc_action(q, "stall");

    st->q = q;
    st->server = q->server;
    st->more = more;
    st->done = done;
    st->arg = arg;
    st->cut = wanted(sc_action(q, "cut"));
    st->cut_clean = wanted(sc_action(q, "cutClean"));
    st->slow = wanted(sc_action(q, "slow"));
    st->stall_at = -1;
    if (json_object_is_type(stall, json_type_array)) {
        st->stall_at =
            json_object_get_int64(json_object_array_get_idx(stall, 0));
        st->stall_s =
            json_object_get_double(json_object_array_get_idx(stall, 1));
    }
    st->gzip = sc_action(q, "gzipBomb") != NULL
               || (q->server->gzip && accept != NULL
                   && strstr(accept, "gzip") != NULL);
    if (sc_action(q, "put") != NULL)
        make_all(st);
    if (st->gzip
        && deflateInit2(&st->z, sc_action(q, "gzipBomb") != NULL ? 9 : 1,
                        Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
               != Z_OK)
        abort();
    return st;
}

bool
sc_stream_gzip(const struct sc_stream *st)
{
    return st->gzip;
}

/* All of the body at once, to give a length that is not its own. */
static struct MHD_Response *
wrong_length(struct sc_stream *st, int64_t delta)
{
    struct sc_buf all = { 0 };
    char part[16384];
    size_t n;

    while ((n = st->gzip ? deflated(st, part, sizeof(part))
                         : take(st, part, sizeof(part)))
           > 0)
        sc_buf_put(&all, part, n);
    sc_buf_free(&st->made);
    st->made = all;
    st->off = 0;
    st->ended = true;
    if (st->gzip)
        (void) deflateEnd(&st->z);
    st->gzip = false;
    st->wrong = delta;
    st->raw = 0;
    int64_t size = (int64_t) all.len + delta;
    return MHD_create_response_from_callback(size > 0 ? (uint64_t) size : 0,
                                             131072, fill, st, stream_free);
}

struct MHD_Response *
sc_stream_response(struct sc_stream *st)
{
    struct json_object *wrong = sc_action(st->q, "wrongLength");

    if (wrong != NULL)
        return wrong_length(st, json_object_get_int64(wrong));
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 131072, fill, st,
                                             stream_free);
}
