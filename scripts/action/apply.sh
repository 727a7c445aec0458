# shellcheck shell=bash
# The mode `apply`: exactly the plan that was reviewed, or nothing.

# Adds the digests of an input to a file, one a line: digests NAME VALUE FILE
digests() {
    local word
    while IFS= read -r word; do
        [[ -n $word ]] || continue
        is_digest "$word" || usage "the input \`$1\` has something that is no digest"
        printf '%s\n' "$word" >> "$3"
    done < <(printf '%s\n' "$2" | tr -s ', \t\r' '[\n*]')
}

# Finds the pull request that the commit is the merge of; `merged` is empty if there is none.
find_merged() {
    local list="$work/pulls.json" try=1
    merged=
    while :; do
        if ! pages "/repos/$GITHUB_REPOSITORY/commits/$commit/pulls" "$list" \
            '{number, merged_at, merge_commit_sha, base: .base.ref?}'; then
            warning "The pull request of $commit cannot be found: $(complaint "$list.page")"
            return 1
        fi
        # Somebody else's branch may have the commit as well.
        merged=$(jq -r --arg sha "$commit" --arg branch "${GITHUB_REF_NAME:-}" \
            'map(select(.merged_at != null and .merge_commit_sha == $sha and .base == $branch)) | first | .number | numbers' "$list")
        # A merge that happened this second may not be known yet.
        [[ -z $merged && ${GITHUB_EVENT_NAME:-} == push ]] && ((try < 3)) || return 0
        try=$((try + 1))
        sleep "${STROWGER_ACTION_PAUSE:-3}"
    done
}

# Adds the digests in our comments to the expected ones, and keeps what was reviewed. Sets `known`: whether GitHub said
# which pull request it was, or that it was none.
reviewed_plans() {
    local id body facts line='^<!-- digest=([0-9a-f]{64}) commit=([0-9a-f]{40,64}|none) planned=([0-9TZ:-]+) budget=([0-9]{1,6}) -->$'
    known=false
    find_merged || return 0
    known=true
    if [[ -z $merged ]]; then
        notice "The commit $commit is not the merge of a pull request, so no review of a plan is known"
        return
    fi
    find_comments "$merged" || return 0
    while IFS= read -r id; do
        body=$work/reviewed-$id.md
        jq -r --argjson id "$id" '.[] | select(.id == $id) | .body' "$comments" > "$body"
        facts=$(sed -n 2p "$body")
        if [[ $facts =~ $line ]]; then
            printf '%s\n' "${BASH_REMATCH[1]}" >> "$work/expected"
            printf 'Reviewed in pull request %s: %s, planned %s for %s\n' "$merged" "${BASH_REMATCH[1]}" \
                "${BASH_REMATCH[3]}" "${BASH_REMATCH[2]}"
        fi
    done < <(jq -r '.[].id | numbers' "$comments")
    [[ -s $work/expected ]] || notice "Pull request $merged has no comment with a plan that was reviewed"
}

# What stands between the first and the last mark of a comment: the plan. Text inside of it cannot be either.
plan_of_comment() { sed -n '/^<!-- plan -->$/,$p' "$1" | sed '1d' | sed -n '/^<!-- \/plan -->$/q;p'; }

# What is another plan today than the one that was reviewed, as a difference of both: moved ACCOUNT
moved() {
    local id budget then="$work/then.md" now="$work/now.md"
    budget=$comment_limit
    : > "$then"
    id=
    [[ ! -s ${comments:-} ]] || id=$(comment_of "$1")
    if [[ -n $id ]]; then
        plan_of_comment "$work/reviewed-$id.md" > "$then"
        budget=$(sed -n '2s/.* budget=\([0-9]\{4,6\}\) -->$/\1/p' "$work/reviewed-$id.md")
    fi
    ((${budget:-0} >= 4096 && ${budget:-0} <= comment_limit)) || budget=$comment_limit
    "$STROWGER" show "$plan_file" --account="$1" --format markdown --markdown-budget "$budget" > "$now"
    diff -u -L 'reviewed in the pull request' -L 'planned now' "$then" "$now" || true
}

say_what_moved() {
    local account changes blocked digest
    plan_with > /dev/null || true
    [[ -s $plan_file ]] || return 0
    : > "$work/moved.diff"
    each_plan > "$work/plans"
    while IFS=$'\t' read -r changes blocked digest account; do
        if ((changes > 0)) && ! grep -qxF -e "$digest" "$work/expected"; then
            moved "$(printf '%s' "$account" | jq -r .)" >> "$work/moved.diff"
        fi
    done < "$work/plans"
    [[ -s $work/moved.diff ]] || return 0
    printf '::group::What moved since the review\n'
    untrusted < "$work/moved.diff"
    printf '::endgroup::\n'
    {
        printf '\n### What moved since the review\n'
        fenced "$work/moved.diff" diff 400000
    } | summarize
}

mode_apply() {
    local code=0 word end changes blocked digest arguments=()
    case ${GITHUB_EVENT_NAME:-} in
        pull_request* | issue_comment)
            usage 'a pull request is planned, never applied: apply on `push` to the branch that it is merged to'
            ;;
    esac
    refuse_forks
    : > "$work/approved"
    digests approve "$INPUT_APPROVE" "$work/approved"
    cat "$work/approved" > "$work/expected"
    digests expect "$INPUT_EXPECT" "$work/expected"
    reviewed_plans
    if [[ -n $INPUT_PLAN_FILE ]]; then
        [[ -f $INPUT_PLAN_FILE && -r $INPUT_PLAN_FILE ]] || usage 'the input `plan-file` is no file'
        cp "$INPUT_PLAN_FILE" "$plan_file"
        arguments=(--plan "$plan_file")
        planned_for_people='earlier'
    else
        plan_with || code=$?
        if [[ $code != 0 && $code != 2 || ! -s $plan_file ]]; then
            error "$(ending "$code")"
            finish "$code"
        fi
    fi
    if ! "$STROWGER" show "$plan_file" > /dev/null; then finish 1; fi
    plan_outputs
    show_plan '' 500000
    while IFS= read -r word; do arguments+=(--expect "$word"); done < "$work/expected"
    # Without a pull request, a plan that was saved is what was reviewed.
    if [[ ! -s $work/expected && (-z $INPUT_PLAN_FILE || $known == false || -n $merged) ]]; then
        arguments+=(--expect none)
    fi
    # An approval of a plan that needs none was a review, and no more.
    each_plan > "$work/plans"
    while IFS=$'\t' read -r changes blocked digest _; do
        [[ $blocked == true ]] || printf '%s\n' "$digest"
    done < "$work/plans" > "$work/free"
    while IFS= read -r word; do
        grep -qxF -e "$word" "$work/free" || arguments+=(--approve "$word")
    done < "$work/approved"
    code=0
    end=$(random)
    printf '::stop-commands::%s\n' "$end"
    "$STROWGER" apply --auto-approve ${guards[@]+"${guards[@]}"} "${arguments[@]}" -- "${paths[@]}" 2>&1 \
        | tee "$work/apply.log" || code=${PIPESTATUS[0]}
    printf '\n::%s::\n' "$end"
    {
        printf '\n### Strowger apply: %s\n' "$(ending "$code")"
        # The plan is above.
        grep -v '^$' "$work/apply.log" | tail -n 60 > "$work/apply.tail" || true
        fenced "$work/apply.tail" text 60000
    } | summarize
    if ((code != 0)); then error "$(ending "$code")"; fi
    if ((code == 5)) && [[ -z $INPUT_PLAN_FILE ]]; then say_what_moved; fi
    finish "$code"
}

# The exit code in words.
ending() {
    case $1 in
        0) echo 'in sync' ;;
        3) echo 'the files have errors; nothing was applied' ;;
        4) echo 'blocked by a guard; nothing was applied' ;;
        5) echo 'the plan is not the one that was reviewed, or the account moved' ;;
        6) echo 'only a part was applied: `strowger history` says which' ;;
        *) echo "failed with $1" ;;
    esac
}
