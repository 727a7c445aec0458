# shellcheck shell=bash
# The mode `apply`: exactly the plan that was reviewed, or nothing.

# Adds the digests of an input to a file, one a line: digests NAME VALUE FILE
digests() {
    local word
    while IFS= read -r word; do
        [[ -n $word ]] || continue
        is_digest "$word" || usage "the input \`$1\` has something that is not a digest"
        printf '%s\n' "$word" >> "$3"
    done < <(printf '%s\n' "$2" | tr -s ', \t\r' '[\n*]')
}

# Finds the pull request that the commit is the merge of; `merged` is empty if there is none.
find_merged() {
    local list="$work/pulls.json" try=1
    merged=
    while :; do
        find_pulls "$commit" "$list" || return 1
        # Another branch may have the commit as well.
        merged=$(jq -r --arg sha "$commit" 'map(select(.merge_commit_sha == $sha)) | first | .number | numbers' "$list")
        # A merge that happened this second may not be known yet.
        [[ -z $merged && ${GITHUB_EVENT_NAME:-} == push ]] && ((try < 3)) || return 0
        try=$((try + 1))
        sleep "${STROWGER_ACTION_PAUSE:-3}"
    done
}

# The pull requests of a commit that were merged to this branch: find_pulls COMMIT LIST
find_pulls() {
    if ! pages "/repos/$GITHUB_REPOSITORY/commits/$1/pulls" "$2.all" \
        '{number, merged_at, merge_commit_sha, base: .base.ref?}'; then
        warning "The pull request of $1 cannot be found: $(complaint "$2.all.page")"
        return 1
    fi
    jq --arg branch "${GITHUB_REF_NAME:-}" 'map(select(.merged_at != null and .base == $branch))' "$2.all" > "$2"
}

# The commit of this branch that was applied last, in `applied`; empty if none was. Fails if that cannot be known.
#
# A run of this workflow for a commit of this branch that succeeded has applied it: the account was as its files say.
find_applied() {
    local workflow=${GITHUB_WORKFLOW_REF:-} answer="$work/runs.json" branch
    applied=
    workflow=${workflow%%@*}
    workflow=${workflow##*/}
    [[ $workflow =~ ^[A-Za-z0-9._-]+$ ]] || return 1
    branch=$(printf '%s' "${GITHUB_REF_NAME:-}" | jq -Rrs @uri)
    if ! api GET "/repos/$GITHUB_REPOSITORY/actions/workflows/$workflow/runs?branch=$branch&status=success&per_page=100" "$answer"; then
        notice "Earlier runs of this workflow cannot be read, so it is not known what was applied last: $(complaint "$answer" actions)"
        return 1
    fi
    jq -r --arg branch "${GITHUB_REF_NAME:-}" --arg repository "$GITHUB_REPOSITORY" '.workflow_runs[]?
        | select(.conclusion == "success" and .head_branch == $branch and .head_repository.full_name? == $repository
            and (.event | strings | startswith("pull_request") | not)) | .head_sha | strings' "$answer" > "$work/succeeded"
    [[ ! -s $work/succeeded ]] || applied=$(grep -xF -m 1 -f "$work/succeeded" "$work/chain") || applied=
}

# The commits of this branch, as they were pushed: nothing in a checkout bends what they are. first_parents ARGUMENT...
first_parents() {
    GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1 git --literal-pathspecs -c safe.bareRepository=explicit rev-list --first-parent "$@"
}

# The pull requests that were merged since the last apply, the newest first, as lines of a commit of theirs, the commit that
# they ended with, and their number: merged_since FILE
merged_since() {
    local sha list="$work/since.json"
    first_parents "$commit" > "$work/chain" 2> /dev/null || return 0
    # Whatever was pushed just now was not applied before.
    find_applied || applied=${before:-$commit}
    first_parents "$commit" ${applied:+"^$applied"} > "$work/range" 2> /dev/null || return 0
    # More than can wait for an apply.
    first_parents --max-count=100 "$commit" ${applied:+"^$applied"} -- "${paths[@]}" > "$work/touched" || return 0
    while IFS= read -r sha; do
        # The answer for the last one is known.
        [[ $sha != "$commit" ]] || continue
        find_pulls "$sha" "$list" || break
        # Of a pull request that was merged commit by commit, any of them leads to it.
        jq -r --arg sha "$sha" --rawfile range "$work/range" '($range | split("\n")) as $range
            | .[] | select(.merge_commit_sha | IN($range[])) | "\($sha) \(.merge_commit_sha) \(.number | numbers)"' "$list"
    done < "$work/touched" > "$1"
}

# Reads what was reviewed in a pull request: `reviewed` gets its comments, one a line, and `reviews` what they let through
# together with those of others: read_review NUMBER
read_review() {
    local id body facts line='^<!-- digest=([0-9a-f]{64}) commit=([0-9a-f]{40,64}|none) planned=([0-9TZ:-]+) budget=([0-9]{1,6}) -->$'
    find_comments "$1" || return 0
    while IFS= read -r id; do
        body=$work/reviewed-$id.md
        jq -r --argjson id "$id" '.[] | select(.id == $id) | .body' "$comments" > "$body"
        printf '%s\n' "$body" >> "$work/reviewed"
        sed -n '3s/^<!-- review=\({"review":1,[]["0-9a-z:,{}]*}\) -->$/\1/p' "$body" > "$body.json"
        if [[ -s $body.json ]]; then
            printf '%s\n' "$body.json" >> "$work/reviews"
            before_merge "$1"
        fi
        facts=$(sed -n 2p "$body")
        [[ $facts =~ $line ]] || continue
        [[ $1 != "$merged" ]] || printf '%s\n' "${BASH_REMATCH[1]}" >> "$work/expected"
        printf 'Reviewed in pull request %s: %s, planned %s for %s\n' "$1" "${BASH_REMATCH[1]}" \
            "${BASH_REMATCH[3]}" "${BASH_REMATCH[2]}"
    done < <(jq -r '.[].id | numbers' "$comments")
}

# Adds the commits before those of an earlier pull request to `bases`, whose guards hold for its changes: before_merge NUMBER
before_merge() {
    local sha number
    while read -r sha _ number; do
        [[ $number == "$1" && $number != "$merged" ]] || continue
        awk -v sha="$sha" 'found { print; exit } $0 == sha { found = 1 }' "$work/chain" >> "$work/bases"
    done < "$work/since"
}

# Adds the digests in our comments to the expected ones, and keeps what was reviewed since the last apply. Sets `known`:
# whether GitHub said which pull request it was, or that it was none.
reviewed_plans() {
    local number
    known=false
    : > "$work/reviewed"
    : > "$work/reviews"
    : > "$work/bases"
    find_merged || return 0
    known=true
    : > "$work/since"
    merged_since "$work/since"
    if [[ -z $merged ]]; then
        notice "The commit $commit is not the merge of a pull request, so no review of a plan is known"
    fi
    # The oldest first; the one that this commit is the merge of is the last.
    {
        awk -v merged="$merged" '$3 != merged && !seen[$3]++ { list = $3 "\n" list } END { printf "%s", list }' "$work/since"
        [[ -z $merged ]] || printf '%s\n' "$merged"
    } > "$work/merged"
    while IFS= read -r number; do read_review "$number"; done < "$work/merged"
    [[ -s $work/expected || -z $merged ]] || notice "Pull request $merged has no comment with a plan that was reviewed"
}

# What stands between the first and the last mark of a comment: the plan. Text inside of it cannot be either.
plan_of_comment() { sed -n '/^<!-- plan -->$/,$p' "$1" | sed '1d' | sed -n '/^<!-- \/plan -->$/q;p'; }

# What is another plan today than what was reviewed, as a difference of both: moved ACCOUNT
moved() {
    local page marker budget='' then="$work/then.md" now="$work/now.md"
    marker=$(marker "$1")
    : > "$then"
    while IFS= read -r page; do
        [[ $(sed -n 1p "$page") == "$marker" ]] || continue
        plan_of_comment "$page" >> "$then"
        budget=$(sed -n '2s/.* budget=\([0-9]\{4,6\}\) -->$/\1/p' "$page")
    done < "$work/reviewed"
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

# Whether a guard holds back a change of the plan.
is_blocked() { jq -e '[.plans[] | (.blocked // [])[]] | length > 0' "$plan_file" > /dev/null; }

# Lets the guards before each earlier pull request judge a plan that is not that of one pull request alone: what it changes
# would have met them, had it been applied by itself. If one of them holds it back, `guards` and the plan are that one's.
judge_together() {
    local base code mine
    mine=(${guards[@]+"${guards[@]}"})
    [[ -z $INPUT_BASE ]] || return 0
    each_plan | awk -F '\t' '$1 > 0 { print $3 }' > "$work/digests"
    # A plan that was reviewed as it is meets the guards of its own merge.
    [[ ! -s $work/expected ]] || grep -qvxF -f "$work/expected" "$work/digests" || return 0
    while IFS= read -r base; do
        ! is_blocked || return 0
        guards=(--base "$base") code=0
        plan_with > /dev/null < /dev/null || code=$?
        if [[ $code != 0 && $code != 2 || ! -s $plan_file ]]; then
            error "$(ending "$code")"
            finish "$code"
        fi
    done < "$work/bases"
    is_blocked || guards=(${mine[@]+"${mine[@]}"})
}

mode_apply() {
    local code=0 word end changes blocked digest arguments=()
    case ${GITHUB_EVENT_NAME:-} in
        pull_request* | issue_comment)
            usage 'a pull request is planned, never applied: apply on `push` to the branch that it is merged to'
            ;;
        merge_group)
            usage 'a merge queue is planned, never applied: it may yet fail. Apply on `push` to the branch that it merges to'
            ;;
    esac
    refuse_forks
    : > "$work/approved"
    digests approve "$INPUT_APPROVE" "$work/approved"
    cat "$work/approved" > "$work/expected"
    digests expect "$INPUT_EXPECT" "$work/expected"
    reviewed_plans
    if [[ -n $INPUT_PLAN_FILE ]]; then
        [[ -f $INPUT_PLAN_FILE && -r $INPUT_PLAN_FILE ]] || usage 'the input `plan-file` is not a readable file'
        cp "$INPUT_PLAN_FILE" "$plan_file"
        arguments=(--plan "$plan_file")
        planned_for_people='earlier'
    else
        plan_with || code=$?
        if [[ $code != 0 && $code != 2 || ! -s $plan_file ]]; then
            error "$(ending "$code")"
            finish "$code"
        fi
        judge_together
    fi
    if ! "$STROWGER" show "$plan_file" > /dev/null; then finish 1; fi
    plan_outputs
    show_plan '' 500000
    while IFS= read -r word; do arguments+=(--expect "$word"); done < "$work/expected"
    if [[ -z $INPUT_PLAN_FILE ]]; then
        while IFS= read -r word; do arguments+=(--reviewed "$word"); done < "$work/reviews"
        [[ -s $work/expected || -s $work/reviews ]] || arguments+=(--expect none)
    elif [[ ! -s $work/expected && ($known == false || -n $merged) ]]; then
        # Without a pull request, a plan that was saved is what was reviewed.
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
    if flag take-over "$INPUT_TAKE_OVER"; then arguments+=(--take-over); fi
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
