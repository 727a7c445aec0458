# shellcheck shell=bash
# The modes `validate` and `plan`. Nothing here can write to an account: `plan` opens it to look.

# Runs a command whose stdout is made for the runner and whose stderr is made for people: annotate COMMAND...
annotate() {
    local code=0
    "$@" 2> "$work/stderr" || code=$?
    if [[ -s $work/stderr ]]; then untrusted < "$work/stderr"; fi
    return "$code"
}

validate() { annotate "$STROWGER" validate --format github -- "${paths[@]}"; }

# Makes the plan and saves it: plan_with ARGUMENT...
plan_with() {
    planned_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    planned_for_people=$(date -u '+%Y-%m-%d %H:%M:%S UTC')
    rm -f "$plan_file"
    annotate "$STROWGER" plan --format github --detailed-exitcode --out "$plan_file" \
        ${guards[@]+"${guards[@]}"} "$@" -- "${paths[@]}"
}

# Plans the accounts of a fleet that can be planned, after some could not, for people to read: nothing applies such a plan.
# Fails if there are none.
plan_rest() {
    "$STROWGER" plan --format json ${guards[@]+"${guards[@]}"} -- "${paths[@]}" > "$plan_file" 2> /dev/null || true
    jq -e '(.plans | length) > 0 and ((.unplanned // []) | length) > 0' "$plan_file" > /dev/null 2>&1
}

# What later steps of the job can use.
plan_outputs() {
    output changes "$(jq '[.plans[].changes | length] | add // 0' "$plan_file")"
    local verb
    for verb in create update delete; do
        output "$verb" "$(jq --arg verb "$verb" '[.plans[].changes[] | select(.verb == $verb)] | length' "$plan_file")"
    done
    output blocked "$(jq '[.plans[] | (.blocked // [])[]] | length > 0' "$plan_file")"
    output digest "$(jq -r '.plans[] | select(.changes | length > 0) | .digest' "$plan_file")"
    output plan_file "$plan_file"
}

# The plan in the job's summary, in so many bytes, and in the log: show_plan NOTICE BYTES
show_plan() {
    {
        [[ -z $1 ]] || printf '> [!NOTE]\n> %s\n\n' "$1"
        "$STROWGER" show "$plan_file" --format markdown --markdown-budget "$2"
        printf '\nCommit %s, planned %s.\n' "$commit" "$planned_for_people"
    } > "$work/summary.md"
    summarize < "$work/summary.md"
    printf '::group::Plan\n'
    "$STROWGER" show "$plan_file" | untrusted
    printf '::endgroup::\n'
}

mode_validate() {
    local code=0
    validate || code=$?
    finish "$code"
}

# Ends the step where the files may be a fork's and the secrets are there.
refuse_forks() {
    [[ -n $outside ]] || return 0
    case ${GITHUB_EVENT_NAME:-} in
        pull_request_target | workflow_run)
            usage "files of a fork are not planned with secrets at hand: run this on \`pull_request\`, not \`$GITHUB_EVENT_NAME\`"
            ;;
    esac
}

mode_plan() {
    local code=0
    refuse_forks
    if [[ -n $outside ]]; then
        plan_outside
    fi
    plan_with || code=$?
    if [[ $code != 0 && $code != 2 || ! -s $plan_file ]]; then
        if plan_rest; then
            show_plan '' 1000000
            if "$commenting"; then comment_plan 'The plan could not be made: see the log of the run.'; fi
        elif "$commenting"; then
            if ((code == 3)); then
                comment_failure 'The files have errors: see the annotations.'
            else
                comment_failure 'The plan could not be made: see the log of the run.'
            fi
        fi
        finish "$code"
    fi
    plan_outputs
    show_plan '' 1000000
    if "$commenting"; then comment_plan 'These files no longer have this account.'; fi
    finish "$code"
}

# A pull request without secrets: its files are validated, and planned against a snapshot if there is one.
plan_outside() {
    local code=0 message
    validate || code=$?
    ((code == 0)) || finish "$code"
    if [[ -z $INPUT_SNAPSHOT || ! -e $INPUT_SNAPSHOT ]]; then
        message="$outside: its files are valid, and what they would change is only known to a plan with secrets."
        notice "$message"
        printf '> [!NOTE]\n> %s\n' "$message" | summarize
        finish 0
    fi
    plan_with --snapshot "$INPUT_SNAPSHOT" || code=$?
    if [[ $code != 0 && $code != 2 ]]; then
        # A snapshot that lacks an account, or is none, is not the pull request's mistake.
        ((code == 1)) || finish "$code"
        message="$outside: its files are valid, and they cannot be planned against the snapshot that the repository has."
        warning "$message"
        printf '> [!WARNING]\n> %s\n' "$message" | summarize
        finish 0
    fi
    message="$outside: this plan is against the snapshot in the repository, not the account, so its digest applies nothing. \
No comment is written."
    notice "$message"
    plan_outputs
    show_plan "$message" 1000000
    finish "$code"
}
