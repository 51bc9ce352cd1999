# etc/completions/odk-sync.bash - SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of odk-sync(1) for bash.

# The sync types: the names of the [job NAME] sections.
_odk_sync_types()
{
    local file
    for file in "$1" "${ODK_SYNC_CONFIG-}" odk-sync.ini \
        /etc/odk-sync/odk-sync.ini; do
        if [[ -n $file && -r $file ]]; then
            sed -n 's/^\[job *\([^] ]*\) *\].*/\1/p' "$file"
            return
        fi
    done
}

_odk_sync()
{
    local cur=$2 prev=${COMP_WORDS[COMP_CWORD - 1]} command='' config='' words i
    local options='--config --verbose --quiet --log-format --help --version'

    # "--config=FILE" is three words here: "=" is among COMP_WORDBREAKS
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --config)
            i=$((i + 1))
            [[ ${COMP_WORDS[i]} == '=' ]] && i=$((i + 1))
            config=${COMP_WORDS[i]}
            ;;
        -l | --log-format | --max-jobs | --max-time | --since | --until | \
            --at | --priority | --limit | --days | --timezone | -o | --output)
            i=$((i + 1))
            [[ ${COMP_WORDS[i]} == '=' ]] && i=$((i + 1))
            ;;
        -*) ;;
        *) [[ -z $command ]] && command=${COMP_WORDS[i]} ;;
        esac
    done

    case $prev in
    -c | --config | -o | --output)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --log-format)
        mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
        return
        ;;
    -l | --max-jobs | --max-time | --since | --until | --at | --priority | \
        --limit | --days | --timezone) return ;;
    esac

    case $command in
    '')
        words='run exec enqueue queue cancel retry pause resume forget'
        words+=' status history schema stats health prune get set import-state export-state'
        words+=' init config discover doctor help'
        ;;
    run)
        words=$(_odk_sync_types "$config")
        options+=' --json --once --max-jobs --max-time --full --since --until'
        options+=' --allow-mass-delete --dry-run --fail-if-idle'
        options+=' --reconcile'
        ;;
    exec) words='' options+=' --max-time --fail-if-idle' ;;
    enqueue)
        words=$(_odk_sync_types "$config")
        options+=' --full --since --until --allow-mass-delete --at --priority'
        options+=' --reconcile'
        ;;
    retry) words=$(_odk_sync_types "$config") options+=' --rejects' ;;
    schema)
        words="show diff $(_odk_sync_types "$config")"
        options+=' --json'
        ;;
    pause | resume | cancel | get) words=$(_odk_sync_types "$config") ;;
    set) words=$(_odk_sync_types "$config") options+=' --force' ;;
    import-state)
        words=$(compgen -f -- "$cur" && _odk_sync_types "$config")
        options+=' --force --timezone'
        ;;
    export-state) words=$(_odk_sync_types "$config") options+=' --output' ;;
    help)
        words='run exec enqueue queue cancel retry pause resume forget status'
        words+=' history schema stats health prune get set import-state'
        words+=' export-state init config discover doctor'
        ;;
    prune) words='' options+=' --days' ;;
    config) words='' options+=' --json --from-env' ;;
    history)
        words=$(_odk_sync_types "$config")
        options+=' --json --limit'
        ;;
    init) words='' options+=' --print --check' ;;
    queue | status | stats | health | discover | doctor) words='' options+=' --json' ;;
    *) words='' ;;
    esac
    [[ $cur == -* ]] && words=$options
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _odk_sync odk-sync
