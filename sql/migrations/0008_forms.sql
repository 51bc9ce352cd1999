-- sql/migrations/0008_forms.sql - SPDX-License-Identifier: Apache-2.0

-- The forms that a job with "form = *" stands for, each a sync type.
CREATE TABLE {schema}.odk_sync_form_job (
    sync_type varchar(50) PRIMARY KEY,
    job varchar(50) NOT NULL,
    central text NOT NULL,
    project bigint NOT NULL,
    form text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    gone_at timestamptz, -- from Central, or left out by the configuration
    UNIQUE (job, central, project, form)
);
COMMENT ON TABLE {schema}.odk_sync_form_job IS
    'odk-sync: the forms found by jobs with "form = *"';
