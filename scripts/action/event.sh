# shellcheck shell=bash
# What happened: the pull request, whether its author is trusted with secrets, and the commit.

# Sets `number` and `head` (of a pull request, else empty), `outside` (why there are no secrets, else empty), `before` (the commit
# before a push, else empty), `base` (the commit before all that the event brings, else empty) and `commit` (what is planned).
read_event() {
    local payload=${GITHUB_EVENT_PATH:-}
    number='' head='' outside='' before='' base='' commit=${GITHUB_SHA:-}
    if [[ ! -r $payload ]] || ! jq -e 'type == "object"' "$payload" > /dev/null 2>&1; then
        payload=$work/event.json
        printf '{}' > "$payload"
    fi
    case ${GITHUB_EVENT_NAME:-} in
        pull_request | pull_request_target)
            number=$(jq -r '.pull_request.number | numbers' "$payload")
            head=$(jq -r '.pull_request.head.sha | strings' "$payload")
            [[ $number =~ ^[0-9]+$ ]] || number=
            is_commit "$head" || head=
            commit=${head:-$commit}
            base=$(jq -r '.pull_request.base.sha | strings' "$payload")
            is_commit "$base" || base=
            # The head's repository is null once the fork is deleted.
            if ! jq -e '.pull_request | .head.repo.full_name != null and .head.repo.full_name == .base.repo.full_name' \
                "$payload" > /dev/null; then
                outside='This pull request is from a fork, which gets no secrets'
            elif [[ ${GITHUB_ACTOR:-} == 'dependabot[bot]' ]]; then
                outside='This pull request is Dependabot'\''s, which gets no secrets'
            fi
            ;;
        workflow_run)
            # It has the secrets, and may have the files of the pull request that set it off.
            jq -e '.workflow_run | .head_repository.full_name != null and .head_repository.full_name == .repository.full_name' \
                "$payload" > /dev/null || outside='This run was set off by a fork, which gets no secrets'
            ;;
        push)
            before=$(jq -r '.before | strings' "$payload")
            is_commit "$before" && [[ -n ${before//0/} ]] || before=
            base=$before
            ;;
        merge_group)
            base=$(jq -r '.merge_group.base_sha | strings' "$payload")
            is_commit "$base" || base=
            ;;
    esac
    is_commit "$commit" || commit=none
}

# The revision whose guards hold as well: the input, or what the event says, or empty for the last commit and its parents.
#
# GitHub's own merge of a pull request keeps its parents: the first one is the branch as it is now, which may be newer than
# what the event says.
find_base() {
    local path
    if [[ -z $INPUT_BASE && ${GITHUB_EVENT_NAME:-} == pull_request && -n $base && -n ${GITHUB_SHA:-} ]]; then
        for path in "${paths[@]}"; do
            [[ $(checked_out "$path") == "$GITHUB_SHA" ]] || return 0
        done
        base=
    fi
    base=${INPUT_BASE:-$base}
}

# The commit that the repository of a path is checked out at; empty if there is none.
checked_out() {
    local folder=$1
    [[ -d $folder ]] || folder=$(dirname -- "$folder")
    GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1 git -C "$folder" -c safe.bareRepository=explicit \
        rev-parse --verify --quiet HEAD 2> /dev/null || true
}
