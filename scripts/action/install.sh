#!/usr/bin/env bash
# Gets the program: the release of the repository that hosts the action, held against its SHA256SUMS and, where `gh` is there,
# against who built it. Says where it is in the output `binary`. Where there is no release, it is to be built from the action's
# own checkout (build.sh): then the output `build` is the folder for it, and `key` what names exactly this program.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/action/lib.sh
source "$here/lib.sh"
# shellcheck source=scripts/action/github.sh
source "$here/github.sh"

fail() {
    error "$1"
    exit 1
}

source_root=$(cd "$here/../.." && pwd)
server=${GITHUB_SERVER_URL:-https://github.com}
temporary=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
# What programs are called here.
suffix=
case "$(uname -s)" in
    MINGW* | MSYS*)
        suffix=.exe
        # `tar` takes what is before a colon for another machine.
        temporary=$(cygpath -u "$temporary")
        ;;
esac

# What releases call this machine.
target() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        Darwin-arm64) echo aarch64-apple-darwin ;;
        MINGW*-x86_64 | MSYS*-x86_64) echo x86_64-pc-windows-msvc ;;
        *) fail "the action runs on Linux and macOS, x86-64 and arm64, and on Windows, x86-64; this is $(uname -s) on $(uname -m)" >&2 ;;
    esac
}

# The commit that a revision of the action's repository is: revision NAME
revision() {
    local answer="$work/commit.json"
    api GET "/repos/$repository/commits/$1" "$answer" > /dev/null || return 1
    jq -r '.sha | strings' "$answer"
}

# Whether the action's checkout is what was released under this tag: another commit's program is another program.
is_release() {
    local pinned released
    [[ $reference != "$1" ]] || return 0
    pinned=$reference
    is_commit "$pinned" || pinned=$(revision "$reference") || return 1
    released=$(revision "$1") || return 1
    [[ -n $released && $pinned == "$released" ]]
}

# get URL FILE: fails with 4 if there is no such file.
get() {
    local status
    status=$(curl --disable --silent --location --proto '=http,https' --proto-redir '=https' --retry 3 --connect-timeout 10 \
        --max-time 600 --output "$2" --write-out '%{http_code}' "$1") || status=000
    case $status in
        200) return 0 ;;
        404) return 4 ;;
        *)
            warning "$1 cannot be fetched (${status})"
            return 1
            ;;
    esac
}

# The sum that the release states for a file: stated FILE SUMS
stated() {
    local hash name
    while read -r hash name; do
        if [[ ${name#\*} == "$1" ]]; then
            printf '%s' "$hash"
            return
        fi
    done < "$2"
}

# A file of a release of a private repository, which only the API gives out: asset TAG NAME FILE. Fails with 4 if there is none.
#
# Only the API gets the token. Where it sends us for the file is a place that is signed for this one file.
asset() {
    local release="$work/release.json" id place
    if [[ ! -s $release ]]; then
        api GET "/repos/$repository/releases/tags/$1" "$release" > /dev/null || return 4
    fi
    id=$(jq -r --arg name "$2" '.assets[]? | select(.name == $name) | .id | numbers' "$release" | head -n 1)
    [[ -n $id ]] || return 4
    api_once GET "/repos/$repository/releases/assets/$id" "$3" '' application/octet-stream
    case $api_status in
        200) return 0 ;;
        302)
            place=$(header "$3.headers" location)
            [[ $place == https://* || $place == "$server"/* ]] || fail "the API sends us to an odd place for $2"
            get "$place" "$3"
            ;;
        404) return 4 ;;
        *)
            warning "$2 of $1 cannot be fetched: $(complaint "$3" contents)"
            return 1
            ;;
    esac
}

# Fetches a file of a release: fetch TAG NAME. Fails with 4 if there is none.
fetch() {
    local status=0
    get "$server/$repository/releases/download/$1/$2" "$work/$2" || status=$?
    # Without a token, a private repository does not exist.
    ((status == 4)) && [[ -n $INPUT_TOKEN ]] || return "$status"
    asset "$1" "$2" "$work/$2"
}

# Whether the release's workflow of the repository built this file for this tag: attested FILE TAG
attested() {
    local about ref=()
    flag attestation "$INPUT_ATTESTATION" || return 0
    if ! about=$(gh attestation verify --help 2> /dev/null); then
        notice 'There is no `gh` that knows attestations, so who built the program is not verified; its SHA-256 is'
        return
    fi
    [[ $about != *--source-ref* ]] || ref=(--source-ref "refs/tags/$2")
    if GH_TOKEN=$INPUT_TOKEN GH_HOST=${server#*://} gh attestation verify "$1" --repo "$repository" \
        --signer-workflow "$repository/.github/workflows/release.yml" ${ref[@]+"${ref[@]}"} > "$work/attestation" 2>&1; then
        printf 'Attested: built by the release workflow of %s for %s\n' "$repository" "$2"
        return
    fi
    untrusted < "$work/attestation"
    fail "it cannot be verified who built ${1##*/} of $2: it is not used. If its repository can have no attestations, set the \
input \`attestation\` to \`false\`"
}

# Fetches and checks a release: download TAG. Fails with 4 if there is none.
download() {
    local archive want status=0
    archive="strowger-$machine.tar.gz"
    fetch "$1" SHA256SUMS || return $?
    want=$(stated "$archive" "$work/SHA256SUMS")
    [[ -n $want ]] || return 4
    is_digest "$want" || fail "SHA256SUMS of $1 has no SHA-256 for $archive"
    fetch "$1" "$archive" || status=$?
    ((status == 0)) || return "$status"
    [[ $(sum < "$work/$archive") == "$want" ]] || fail "$archive of $1 is not what SHA256SUMS says: it is not used"
    attested "$work/$archive" "$1"
    tar -xzf "$work/$archive" -C "$work" "strowger$suffix" || fail "$archive of $1 holds no strowger"
    chmod 755 "$work/strowger$suffix"
    printf 'strowger %s, checked: SHA-256 %s\n' "$1" "$want"
}

# What names the program that this checkout is built to, on this machine and with its compiler.
source_key() {
    {
        cd "$source_root"
        find Cargo.toml Cargo.lock src benches schemas examples/workflows -type f | LC_ALL=C sort | while IFS= read -r file; do
            printf '%s\n' "$file"
            cat "$file"
        done
        cargo --version
    } | sum
}

need curl jq tar
machine=$(target)
repository=${ACTION_REPOSITORY:-${GITHUB_ACTION_REPOSITORY:-}}
reference=${ACTION_REF:-${GITHUB_ACTION_REF:-}}
if [[ -n $repository && ! $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ || $reference =~ [^A-Za-z0-9._/+-] ]]; then
    fail "the action's own repository or revision has an odd name"
fi
tag=$(own_tag "$source_root")
wanted=$INPUT_VERSION
if [[ -n $wanted && $wanted != source && ! $wanted =~ ^v[0-9][0-9A-Za-z.+-]*$ ]]; then
    fail 'the input `version` is a release such as `v0.1.0`, `source`, or empty'
fi

# One download or build for all uses of a job.
name="${tag#v}-${wanted:-default}-$(printf '%s' "$repository@$reference" | tr -c 'A-Za-z0-9\n' '-')"
place="$temporary/strowger-$name"
if [[ ! -x $place/strowger$suffix ]]; then
    work=$(mktemp -d "$temporary/strowger-install-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    status=4
    if [[ $wanted == source || -z $repository ]]; then
        [[ -z $wanted || $wanted == source ]] || fail 'an action without a repository has no releases: leave `version` out'
    elif [[ -n $wanted ]] || is_release "$tag"; then
        status=0
        download "${wanted:-$tag}" || status=$?
    fi
    if ((status == 0)); then
        mkdir -p "$place"
        mv -f "$work/strowger$suffix" "$place/strowger$suffix"
    else
        # Another version cannot be built from this checkout.
        [[ -z $wanted || $wanted == source || $wanted == "$tag" ]] \
            || fail "there is no usable release $wanted of $repository for this machine"
        command -v cargo > /dev/null || fail "there is no release to use for this commit and machine, and no cargo to build with: \
pin the action to a release, or install Rust first"
        output key "strowger-$machine-$(source_key)"
        # As other programs of the runner write it.
        if [[ -n $suffix ]]; then output build "$(cygpath -m "$place")"; else output build "$place"; fi
    fi
fi
[[ ! -x $place/strowger$suffix ]] || "$place/strowger$suffix" --version
output binary "$place/strowger$suffix"
