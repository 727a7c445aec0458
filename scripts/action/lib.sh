# shellcheck shell=bash
# What the action's scripts share: speaking to the runner without being spoken through.
#
# Text from the event, from GitHub, from files and from accounts is untrusted. It reaches the log only escaped (`notice`,
# `warning`, `error`) or while the runner obeys nothing (`untrusted`), outputs only behind a delimiter that no output can
# guess, and no command but as a quoted argument. Runs with the bash 3.2 of macOS.

# GitHub's token is for curl alone: no account's file may name it as the variable of its secret.
export -n INPUT_TOKEN

random() { od -An -tx1 -N16 /dev/urandom | tr -d ' \n'; }

# The text as the runner reads it behind `::name::`: short, and without what a terminal would obey.
escaped() {
    local text
    text=$(printf '%s' "$1" | LC_ALL=C tr -d '\000-\010\013-\014\016-\037\177')
    text=${text:0:4000}
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '%s' "$text"
}

notice() { printf '::notice title=Strowger::%s\n' "$(escaped "$1")"; }
warning() { printf '::warning title=Strowger::%s\n' "$(escaped "$1")"; }
error() { printf '::error title=Strowger::%s\n' "$(escaped "$1")"; }

# Ends the step because of how it is used, as the program does.
usage() {
    error "$1"
    finish 64
}

# Shows stdin in the log, and the runner obeys nothing of it.
untrusted() {
    local end
    end=$(random)
    printf '::stop-commands::%s\n' "$end"
    LC_ALL=C tr -d '\000-\010\013-\037\177'
    printf '\n::%s::\n' "$end"
}

# output NAME VALUE
output() {
    local delimiter
    delimiter=$(random)
    printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >> "$GITHUB_OUTPUT"
}

# Adds stdin to the job's summary.
summarize() { cat >> "${GITHUB_STEP_SUMMARY:-/dev/null}"; }

# Shows a file as a code block of a page, within so many bytes: fenced FILE LANGUAGE MOST. The fence is longer than any run of
# back-ticks inside.
fenced() {
    local longest fence
    longest=$(LC_ALL=C tr -cs '`' '\n' < "$1" | LC_ALL=C sort | tail -n 1)
    fence="$longest\`\`\`"
    printf '\n%s%s\n' "$fence" "$2"
    if (($(wc -c < "$1") > $3)); then
        # Never half a line, and never half a character.
        head -c "$3" "$1" | sed '$d'
        printf '(cut: the log has all of it)\n'
    else
        cat "$1"
        printf '\n'
    fi
    printf '%s\n' "$fence"
}

# Whether an input says yes: flag NAME VALUE
flag() {
    case $2 in
        true) return 0 ;;
        false) return 1 ;;
        *) usage "the input \`$1\` is \`true\` or \`false\`" ;;
    esac
}

# The SHA-256 of stdin.
sum() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-64; }

# The release of a checkout's own version: own_tag FOLDER
own_tag() { sed -n 's/^version = "\([0-9A-Za-z.+-]*\)"$/v\1/p' "$1/Cargo.toml" | head -n 1; }

base64_of() { printf '%s' "$1" | jq -Rrs @base64; }

is_digest() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
is_commit() { [[ $1 =~ ^[0-9a-f]{40}$ || $1 =~ ^[0-9a-f]{64}$ ]]; }

need() {
    local program
    for program in "$@"; do
        command -v "$program" > /dev/null || { error "the runner has no \`$program\`: install it"; exit 1; }
    done
}
