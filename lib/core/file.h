/* lib/core/file.h - SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that people name: read as a whole, and written so that whoever reads
 * one finds the old content or the new one, never a part.
 */
#ifndef ODKS_CORE_FILE_H
#define ODKS_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/cleanup.h"
#include "core/err.h"

/* Append all of a file to b: 66 missing, 77 not allowed, 65 over its cap. */
ODKS_MUST_CHECK bool odks_file_read(const char *path, struct odks_buf *b,
                                    struct odks_err *err);

/*
 * Make data the content of a file, new or not; the rights of one that is
 * there stay. A link to a regular file stays one, a link to nothing is refused.
 * What is no regular file (/dev/stdout) is just written to. 73 if it cannot be;
 * the file is unchanged then.
 */
ODKS_MUST_CHECK bool odks_file_replace(const char *path, const void *data,
                                       size_t len, struct odks_err *err);

/*
 * Keep content, which is that of path, in path.backup, else in path.backup.1
 * and so on: one that is there is never overwritten, and does for the same
 * content. The caller frees *name. 73 if it cannot be written.
 */
ODKS_MUST_CHECK bool odks_file_backup(const char *path,
                                      const struct odks_buf *content,
                                      char **name, struct odks_err *err);

#endif
