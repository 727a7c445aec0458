# shellcheck shell=bash
# What happened: the pull request, whether its author is trusted with secrets, and the commit.

# Sets `number` and `head` (of a pull request, else empty), `outside` (why there are no secrets, else empty), `before` (the commit
# before a push, else empty) and `commit` (what is planned).
read_event() {
    local payload=${GITHUB_EVENT_PATH:-}
    number='' head='' outside='' before='' commit=${GITHUB_SHA:-}
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
            ;;
    esac
    is_commit "$commit" || commit=none
}
