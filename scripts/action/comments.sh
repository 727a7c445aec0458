# shellcheck shell=bash
# The sticky comments of a pull request: one for each account, and what a later run reads back from them.
#
# A comment is ours if `comment-author` wrote it and its first line is our marker. In it the paths stand as a
# hash and the account's name as base64, which has no character that ends an HTML comment. The second line has what
# `apply` needs, the third the digest of each change, for when several pull requests are applied at once. These lines come
# before any text of the plan, so nothing in a plan can take their place. Of two comments of one account, which only runs
# that overtake each other make, the first counts.

comment_limit=65536
# The most characters of the third line, so that there is room for people.
review_limit=40000
comment_filter='select(.user.login? == $author and (.body | type) == "string" and (.body | startswith("<!-- strowger v1 ")))
    | {id, body: (.body | gsub("\r"; ""))}'

# The part of the marker that all accounts of this run share.
marker_of_path() { printf '<!-- strowger v1 path=%s ' "$(printf '%s' "$path_key" | sum)"; }
marker() { printf '%saccount=%s -->' "$(marker_of_path)" "$(base64_of "$1")"; }

# What is known of a plan: facts DIGEST BUDGET
facts() { printf '<!-- digest=%s commit=%s planned=%s budget=%s -->' "$1" "$commit" "$planned_at" "$2"; }

# The digest of each change of an account's plan, as a line of a comment; fails if there are too many: review_of ACCOUNT
review_of() {
    local review form='^\{"review":1,"plans":\[\{"account":"[0-9a-f]{64}","changes":\[[0-9a-f",]*\]\}\]\}$'
    review=$("$STROWGER" show "$plan_file" --account="$1" --format review) || return 1
    [[ ${#review} -le $review_limit && $review =~ $form ]] || return 1
    printf '<!-- review=%s -->\n' "$review"
}

run_url() { printf '%s/%s/actions/runs/%s' "${GITHUB_SERVER_URL:-https://github.com}" "$GITHUB_REPOSITORY" "${GITHUB_RUN_ID:-0}"; }

# Fills `comments` with ours, of this path: find_comments NUMBER. Says why not if that fails.
find_comments() {
    comments=$work/comments.json
    if ! pages "/repos/$GITHUB_REPOSITORY/issues/$1/comments" "$comments" "$comment_filter"; then
        warning "The comments of pull request $1 cannot be read: $(complaint "$comments.page")"
        return 1
    fi
    jq --arg start "$(marker_of_path)" 'map(select(.body | startswith($start))) | unique_by(.body | split("\n")[0])' \
        "$comments" > "$comments.ours"
    mv "$comments.ours" "$comments"
}

# The id of an account's comment, or nothing: comment_of ACCOUNT
comment_of() {
    jq -r --arg marker "$(marker "$1")" 'map(select((.body | split("\n")[0]) == $marker)) | first | .id | numbers' "$comments"
}

# Writes the page of a plan: compose ACCOUNT DIGEST BLOCKED PAGE
compose() {
    local top="$work/top.md" end="$work/end.md" budget together=true
    {
        printf '%s\nFACTS\n' "$(marker "$1")"
        review_of "$1" || together=false
        printf 'Commit %s · planned %s · [run](%s)\n\n<!-- plan -->\n' "$commit" "$planned_for_people" "$(run_url)"
    } > "$top"
    {
        printf '\n<!-- /plan -->\n\n---\n'
        if [[ $2 == none ]]; then
            printf 'Nothing is left to do: after the merge, a plan with changes is not applied.\n'
        elif [[ $3 == true ]]; then
            printf '**Blocked.** Once this is merged, the person who approves these changes runs the workflow that applies by '
            printf 'hand, with `approve` set to `%s`. Any other plan stays blocked.\n' "$2"
        else
            printf 'After the merge, exactly this plan is applied (digest `%s`), or nothing' "$2"
            if "$together"; then
                printf '; together with others, if several pull requests are merged before they are applied.\n'
            else
                printf '. It has too many changes to be applied together with that of another pull request.\n'
            fi
        fi
        printf 'If the files or the account move meanwhile, plan again.\n'
    } > "$end"
    # The facts take the place of a word that is shorter.
    budget=$((comment_limit - $(wc -c < "$top") - $(wc -c < "$end") - 256))
    {
        sed "2s|.*|$(facts "$2" "$budget")|" "$top"
        "$STROWGER" show "$plan_file" --account="$1" --format markdown --markdown-budget "$budget"
        cat "$end"
    } > "$4"
}

# Writes a comment: put_comment ID BODY, without an ID a new one. Fails if it may be there all the same.
put_comment() {
    local answer="$work/answer.json" login
    jq -Rs '{body: .}' "$2" > "$work/body.json"
    if [[ -n $1 ]]; then
        api PATCH "/repos/$GITHUB_REPOSITORY/issues/comments/$1" "$answer" "$work/body.json" && return
        # It was deleted.
        [[ $api_status == 404 ]] || { uncommented "$answer"; return; }
    fi
    if api POST "/repos/$GITHUB_REPOSITORY/issues/$number/comments" "$answer" "$work/body.json"; then
        login=$(jq -r '.user.login? | strings' "$answer")
        [[ $login == "$INPUT_COMMENT_AUTHOR" ]] || warning \
            "The comment was written by $login, so the next run will not find it: set the input \`comment-author\`"
        return
    fi
    case $api_status in
        000 | 5??) return 1 ;;
    esac
    uncommented "$answer"
}

gave_up=false
uncommented() {
    # What is refused once is refused for every account.
    gave_up=true
    warning "The comment on pull request $number is not written: $(complaint "$1"). The plan is in the job's summary"
}

# Updates the comment of an account, or makes it: upsert ACCOUNT BODY
upsert() {
    put_comment "$(comment_of "$1")" "$2" && return
    # The answer got lost: look whether the comment did.
    find_comments "$number" || return 0
    put_comment "$(comment_of "$1")" "$2" || uncommented "$work/answer.json"
}

# Says in each comment of ours but those of these accounts (lines of a file) that it holds no longer: retire WHY ACCOUNTS
retire() {
    local id first page="$work/retired.md" ours='^<!-- strowger v1 path=[0-9a-f]* account=[A-Za-z0-9+/=]* -->$'
    while IFS= read -r id; do
        ! "$gave_up" || return 0
        first=$(jq -r --argjson id "$id" '.[] | select(.id == $id) | .body | split("\n")[0]' "$comments")
        ! grep -qxF -e "$first" "$2" || continue
        # What stands there is put back as it is, so it has to be one of ours to the last character.
        [[ $first =~ $ours ]] || continue
        {
            printf '%s\n%s\n' "$first" "$(facts none 0)"
            printf 'Commit %s · %s · [run](%s)\n\n**No plan.** %s\n' "$commit" "$planned_for_people" "$(run_url)" "$1"
        } > "$page"
        put_comment "$id" "$page" || uncommented "$work/answer.json"
    done < <(jq -r '.[].id | numbers' "$comments")
}

# The plans of the saved file, one a line: changes, whether one is blocked, digest, the account's name as JSON.
each_plan() {
    jq -r '.plans[] | [(.changes | length), ((.blocked // []) | length > 0), .digest, (.account | @json)] | map(tostring) | join("\t")' \
        "$plan_file"
}

# Keeps one comment for each account of the plan up to date, and says in all others that they hold no longer: comment_plan WHY
comment_plan() {
    local count account changes blocked digest
    : > "$work/markers"
    find_comments "$number" || return 0
    each_plan > "$work/plans"
    count=$(wc -l < "$work/plans")
    while IFS=$'\t' read -r changes blocked digest account; do
        ! "$gave_up" || return 0
        account=$(printf '%s' "$account" | jq -r .)
        marker "$account" >> "$work/markers"
        printf '\n' >> "$work/markers"
        if ((changes == 0)); then
            digest=none blocked=false
            # In a fleet, an account that this pull request is not about has nothing to say.
            ((count == 1)) || [[ -n $(comment_of "$account") ]] || continue
        fi
        compose "$account" "$digest" "$blocked" "$work/comment.md"
        upsert "$account" "$work/comment.md"
    done < "$work/plans"
    comment_unplanned
    retire "$1" "$work/markers"
}

# Names each account of a fleet that could not be planned in a comment of its own.
comment_unplanned() {
    local account shown why
    jq -r '(.unplanned // [])[] | [(.account | @json), (.account | gsub("[^\\p{L}\\p{N} ._/@-]"; "?")),
        ({invalid: "The files have errors: see the annotations.",
          held: "Nothing is sent to it before that is accepted: see the log of the run."}[.reason]
            // "The plan could not be made: see the log of the run.")] | join("\t")' "$plan_file" > "$work/unplanned"
    while IFS=$'\t' read -r account shown why; do
        ! "$gave_up" || return 0
        account=$(printf '%s' "$account" | jq -r .)
        marker "$account" >> "$work/markers"
        printf '\n' >> "$work/markers"
        {
            printf '%s\n%s\n' "$(marker "$account")" "$(facts none 0)"
            printf 'Commit %s · %s · [run](%s)\n\n' "$commit" "$planned_for_people" "$(run_url)"
            printf '### Strowger plan for `%s`\n\n**No plan.** %s\n' "$shown" "$why"
        } > "$work/comment.md"
        upsert "$account" "$work/comment.md"
    done < "$work/unplanned"
}

# Says in all comments that the commit has no plan: comment_failure WHY
comment_failure() {
    find_comments "$number" || return 0
    : > "$work/markers"
    retire "$1" "$work/markers"
}
