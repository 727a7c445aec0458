# shellcheck shell=bash
# GitHub's REST API: one function that asks, with bounded patience.
#
# The token reaches curl on stdin, so that no list of processes has it. An answer is a file; what it says is untrusted.

api_attempts=4
api_longest_wait=120
api_status=000

# A header of the last answer, without the case of its name: header FILE NAME
header() {
    tr -d '\r' < "$1" | jq -Rrn --arg name "$2:" \
        '[inputs | select(ascii_downcase | startswith($name)) | .[($name | length):] | ltrimstr(" ")] | last // ""'
}

# One request: api_once METHOD PATH ANSWER [BODY [TYPE]]. Sets `api_status`, 000 if there is no answer. TYPE is the answer's, if
# it is not a document. No redirection is followed: another host would get the token.
api_once() {
    rm -f "$3" "$3.headers"
    api_status=$(
        {
            printf 'header = "Authorization: Bearer %s"\n' "$INPUT_TOKEN"
            printf 'header = "Accept: %s"\n' "${5:-application/vnd.github+json}"
            printf 'header = "X-GitHub-Api-Version: 2022-11-28"\n'
            printf 'header = "User-Agent: strowger-action"\n'
            if [[ -n ${4:-} ]]; then
                printf 'header = "Content-Type: application/json"\n'
                printf 'data-binary = "@%s"\n' "$4"
            fi
        } | curl --disable --config - --silent --proto '=http,https' --connect-timeout 10 --max-time 60 \
            --request "$1" --output "$3" --dump-header "$3.headers" --write-out '%{http_code}' \
            "${GITHUB_API_URL:-https://api.github.com}$2"
    ) || api_status=000
    touch "$3" "$3.headers"
}

# How many seconds to wait before asking again, or a failure if that is of no use: pause METHOD ANSWER ATTEMPT
pause() {
    local wait after
    (($3 < api_attempts)) || return 1
    after=$(header "$2.headers" retry-after)
    [[ $after =~ ^[0-9]{1,6}$ ]] || after=
    case $api_status in
        403 | 429)
            if [[ -n $after ]]; then
                wait=$after
            elif [[ $(header "$2.headers" x-ratelimit-remaining) == 0 ]]; then
                wait=$(header "$2.headers" x-ratelimit-reset)
                [[ $wait =~ ^[0-9]{1,12}$ ]] || return 1
                wait=$((wait - $(date +%s)))
            elif [[ $api_status == 429 ]] || grep -qi 'secondary rate limit' "$2"; then
                # The least that GitHub asks for if it names no time.
                wait=${STROWGER_ACTION_PAUSE:-60}
            else
                return 1
            fi
            ;;
        000 | 5??)
            # A comment may have been written all the same: the caller checks before it writes again.
            [[ $1 != POST ]] || return 1
            wait=${after:-$3}
            ;;
        *) return 1 ;;
    esac
    ((wait <= api_longest_wait)) || return 1
    ((wait > 0)) || wait=0
    printf '%s' "$wait"
}

# Asks until there is an answer to act on: api METHOD PATH ANSWER [BODY]. Fails unless the answer is good.
api() {
    local attempt=1 wait
    # It would end the line of the configuration that it stands in.
    if [[ $INPUT_TOKEN =~ [^A-Za-z0-9._-] || -z $INPUT_TOKEN ]]; then
        api_status=000
        printf '{"message":"the token is empty or has characters that no token has"}' > "$3"
        return 1
    fi
    while :; do
        api_once "$@"
        case $api_status in
            2??) return 0 ;;
        esac
        wait=$(pause "$1" "$3" "$attempt") || return 1
        printf 'GitHub answers %s: asking again in %s s\n' "$api_status" "$wait"
        sleep "$wait"
        attempt=$((attempt + 1))
    done
}

# The error of a failed request, with a remedy: complaint ANSWER [PERMISSION]
complaint() {
    local said
    said=$(jq -r '.message? // empty | tostring | .[0:300]' "$1" 2> /dev/null) || said=
    case $api_status in
        000) printf 'GitHub cannot be reached' ;;
        *) printf 'GitHub answers %s' "$api_status" ;;
    esac
    [[ -z $said ]] || printf ': %s' "$said"
    case $api_status in
        401) printf ' (the input `token` is not accepted)' ;;
        403 | 404) printf ' (does the job have `permissions: %s`?)' "${2:-pull-requests}" ;;
        429) printf ' (a rate limit)' ;;
    esac
}

# All items of a list that a filter of jq keeps, page by page: pages PATH LIST FILTER, in which `$author` is whose token it is
pages() {
    local page=1 answer="$2.page"
    printf '[]' > "$2"
    while :; do
        api GET "$1?per_page=100&page=$page" "$answer" || return 1
        jq -s --arg author "$INPUT_COMMENT_AUTHOR" \
            'if (.[1] | type) == "array" then .[0] + [.[1][] | '"$3"'] else error("no list") end' \
            "$2" "$answer" > "$2.next" 2> /dev/null || return 1
        mv "$2.next" "$2"
        [[ $(header "$answer.headers" link) == *'rel="next"'* ]] || return 0
        page=$((page + 1))
        # More than an issue can have.
        ((page <= 100)) || return 0
    done
}
