#!/usr/bin/env bash
# One run of the action: reads what is asked for and what happened, and does the mode.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/action/lib.sh
source "$here/lib.sh"
# shellcheck source=scripts/action/github.sh
source "$here/github.sh"
# shellcheck source=scripts/action/event.sh
source "$here/event.sh"
# shellcheck source=scripts/action/comments.sh
source "$here/comments.sh"
# shellcheck source=scripts/action/plan.sh
source "$here/plan.sh"
# shellcheck source=scripts/action/apply.sh
source "$here/apply.sh"

# Ends the step. Changes of a plan are a failure only with `fail-on-changes`.
finish() {
    output exit_code "$1"
    if [[ $1 == 1 && $INPUT_MODE != apply ]]; then error 'The run failed: the log says why'; fi
    if [[ $1 == 2 && $INPUT_MODE == plan ]] && ! flag fail-on-changes "$INPUT_FAIL_ON_CHANGES"; then exit 0; fi
    exit "$1"
}

need curl jq git diff
[[ ${GITHUB_REPOSITORY:-} =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || usage 'there is no GITHUB_REPOSITORY'
work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/strowger-run-XXXXXX")
plan_file=$work/plan.json
read_event

paths=() path_key=
while IFS= read -r line; do
    line=${line%$'\r'}
    [[ -n $line ]] || continue
    paths+=("$line")
    # Comments are identified by this path: `./phones/` is `phones`.
    line=${line#./}
    path_key+="${line%/}"$'\n'
done <<< "$INPUT_PATH"
((${#paths[@]} > 0)) || usage 'the input `path` is empty'
flag fail-on-changes "$INPUT_FAIL_ON_CHANGES" || true
flag take-over "$INPUT_TAKE_OVER" || true

# A comment needs a pull request, and a token that can write.
commenting=false
if flag comment "$INPUT_COMMENT" && [[ -n $number && -z $outside ]]; then commenting=true; fi

find_base
guards=()
[[ -z $base ]] || guards=(--base "$base")

case $INPUT_MODE in
    validate) mode_validate ;;
    plan) mode_plan ;;
    apply) mode_apply ;;
    *) usage 'the input `mode` is `validate`, `plan` or `apply`' ;;
esac
