/* lib/run/instance.h - SPDX-License-Identifier: Apache-2.0 */
#ifndef ODKS_RUN_INSTANCE_H
#define ODKS_RUN_INSTANCE_H

enum { ODKS_INSTANCE_TEXT = 101 };

/*
 * Who we are in service_instance: "<host>-<pid>-<random>". Unlike a host name
 * it names one process: a restarted pod keeps its name, and would take its
 * predecessor's claim for its own.
 */
void odks_instance(char text[ODKS_INSTANCE_TEXT]);

#endif
