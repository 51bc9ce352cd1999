# etc/completions/odk-sync.fish - SPDX-License-Identifier: Apache-2.0
# Completion of odk-sync(1) for fish.

# The sync types: the names of the [job NAME] sections.
function __odk_sync_types
    for file in "$ODK_SYNC_CONFIG" odk-sync.ini /etc/odk-sync/odk-sync.ini
        if test -r "$file"
            sed -n 's/^\[job *\([^] ]*\) *\].*/\1/p' $file
            return
        end
    end
end

complete -c odk-sync -f
complete -c odk-sync -s c -l config -r -F -d 'read this file'
complete -c odk-sync -s v -l verbose -d 'say what is done; twice: everything'
complete -c odk-sync -s q -l quiet -d 'say nothing but errors'
complete -c odk-sync -l log-format -x -a 'text json' -d 'how messages look'
complete -c odk-sync -s h -l help -d 'show help'
complete -c odk-sync -s V -l version -d 'show the version'

set -l none __fish_use_subcommand
complete -c odk-sync -n $none -a run -d 'do the jobs that are due'
complete -c odk-sync -n $none -a exec -d 'run any program as a job'
complete -c odk-sync -n $none -a enqueue -d 'put a job into the queue'
complete -c odk-sync -n $none -a queue -d 'show the jobs that wait or run'
complete -c odk-sync -n $none -a cancel -d 'cancel a job'
complete -c odk-sync -n $none -a retry -d 'let a job run now'
complete -c odk-sync -n $none -a pause -d 'leave a type out'
complete -c odk-sync -n $none -a resume -d 'end a pause'
complete -c odk-sync -n $none -a forget -d 'drop a type not configured'
complete -c odk-sync -n $none -a status -d 'show how fresh the tables are'
complete -c odk-sync -n $none -a history -d 'show the attempts'
complete -c odk-sync -n $none -a schema -d 'show the tables of a form'
complete -c odk-sync -n $none -a stats -d 'show numbers per type'
complete -c odk-sync -n $none -a health -d 'does something need a person?'
complete -c odk-sync -n $none -a prune -d 'forget old attempts'
complete -c odk-sync -n $none -a get -d 'print the last sync time'
complete -c odk-sync -n $none -a set -d 'set the last sync time'
complete -c odk-sync -n $none -a import-state -d 'take a last_sync.txt over'
complete -c odk-sync -n $none -a export-state -d 'write a last_sync.txt'
complete -c odk-sync -n $none -a init -d 'create or upgrade the tables'
complete -c odk-sync -n $none -a config -d 'show the values in force'
complete -c odk-sync -n $none -a discover -d 'list projects and forms'
complete -c odk-sync -n $none -a doctor -d 'check everything'
complete -c odk-sync -n $none -a help -d 'show help'

set -l typed '__fish_seen_subcommand_from run enqueue cancel pause resume history retry schema get set import-state export-state'
complete -c odk-sync -n $typed -a '(__odk_sync_types)' -d type

set -l json '__fish_seen_subcommand_from queue status history schema stats health config discover doctor run'
complete -c odk-sync -n $json -l json -d 'print the result as JSON'

set -l run '__fish_seen_subcommand_from run'
complete -c odk-sync -n $run -l once -d 'stop after one job'
complete -c odk-sync -n $run -l max-jobs -x -d 'stop after so many jobs'
complete -c odk-sync -n $run -s n -l dry-run -d 'say what would change'

set -l started '__fish_seen_subcommand_from run exec'
complete -c odk-sync -n $started -l max-time -x -d 'stop after this long'
complete -c odk-sync -n $started -l fail-if-idle -d 'exit with 75 when idle'

set -l again '__fish_seen_subcommand_from run enqueue'
complete -c odk-sync -n $again -l full -d 'read everything again'
complete -c odk-sync -n $again -l since -x -d 'submitted at or after'
complete -c odk-sync -n $again -l until -x -d 'and before'
complete -c odk-sync -n $again -l reconcile -d 'compare all keys now'
complete -c odk-sync -n $again -l allow-mass-delete -d 'carry out many deletions'

set -l enqueue '__fish_seen_subcommand_from enqueue'
complete -c odk-sync -n $enqueue -l at -x -d 'not before'
complete -c odk-sync -n $enqueue -l priority -x -d 'lower numbers first'

set -l retry '__fish_seen_subcommand_from retry'
complete -c odk-sync -n $retry -l rejects -d 'read again what did not fit'

set -l schema '__fish_seen_subcommand_from schema'
complete -c odk-sync -n $schema -a 'show diff' -d action

set -l attempts '__fish_seen_subcommand_from history'
complete -c odk-sync -n $attempts -s l -l limit -x -d 'at most so many lines'

set -l back '__fish_seen_subcommand_from set import-state'
complete -c odk-sync -n $back -s f -l force -d 'let the time go back'

set -l import '__fish_seen_subcommand_from import-state'
complete -c odk-sync -n $import -F
complete -c odk-sync -n $import -l timezone -x -d 'where it was written'

set -l export '__fish_seen_subcommand_from export-state'
complete -c odk-sync -n $export -s o -l output -r -F -d 'write into this file'

set -l prune '__fish_seen_subcommand_from prune'
complete -c odk-sync -n $prune -l days -x -d 'keep so many days'

set -l config '__fish_seen_subcommand_from config'
complete -c odk-sync -n $config -l from-env -d 'an INI from the old variables'

set -l init '__fish_seen_subcommand_from init'
complete -c odk-sync -n $init -l print -d 'print the SQL, change nothing'
complete -c odk-sync -n $init -l check -d 'only check the tables'
