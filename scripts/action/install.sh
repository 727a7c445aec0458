#!/usr/bin/env bash
# Gets the program: the release of the repository that hosts the action, held against its SHA256SUMS, or built from the
# action's own checkout where there is no release. Says where it is in the output `binary`.
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

# What releases call this machine.
target() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        Darwin-arm64) echo aarch64-apple-darwin ;;
        *) fail "the action runs on Linux and macOS, x86-64 and arm64; this is $(uname -s) on $(uname -m)" >&2 ;;
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

# Fetches and checks a release: download TAG. Fails with 4 if there is none.
download() {
    local asset from want status=0
    asset="strowger-$machine.tar.gz"
    from="$server/$repository/releases/download/$1"
    get "$from/SHA256SUMS" "$work/SHA256SUMS" || return $?
    want=$(stated "$asset" "$work/SHA256SUMS")
    [[ -n $want ]] || return 4
    is_digest "$want" || fail "SHA256SUMS of $1 has no SHA-256 for $asset"
    get "$from/$asset" "$work/$asset" || status=$?
    ((status == 0)) || return "$status"
    [[ $(sum < "$work/$asset") == "$want" ]] || fail "$asset of $1 is not what SHA256SUMS says: it is not used"
    tar -xzf "$work/$asset" -C "$work" strowger || fail "$asset of $1 holds no strowger"
    chmod 755 "$work/strowger"
    printf 'strowger %s, checked: SHA-256 %s\n' "$1" "$want"
}

build() {
    command -v cargo > /dev/null || fail "there is no release to use for this commit and machine, and no cargo to build with: \
pin the action to a release, or install Rust first"
    printf '::group::Build Strowger from the checkout of the action\n'
    cargo build --release --locked --bin strowger --manifest-path "$source_root/Cargo.toml" --target-dir "$work/target"
    printf '::endgroup::\n'
    mv "$work/target/release/strowger" "$work/strowger"
    rm -rf "$work/target"
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

# One build or download for all uses of a job.
place="$temporary/strowger-${tag#v}-${wanted:-default}-$(printf '%s' "$repository@$reference" | tr -c 'A-Za-z0-9\n' '-')"
if [[ ! -x $place/strowger ]]; then
    work=$(mktemp -d "$temporary/strowger-install-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    status=4
    if [[ $wanted == source || -z $repository ]]; then
        [[ -z $wanted || $wanted == source ]] || fail 'an action without a repository has no releases: leave `version` out'
    elif [[ -n $wanted ]] || is_release "$tag"; then
        status=0
        download "${wanted:-$tag}" || status=$?
    fi
    if ((status != 0)); then
        # Another version cannot be built from this checkout.
        [[ -z $wanted || $wanted == source || $wanted == "$tag" ]] \
            || fail "there is no usable release $wanted of $repository for this machine"
        build
    fi
    mkdir -p "$place"
    mv -f "$work/strowger" "$place/strowger"
fi
"$place/strowger" --version
output binary "$place/strowger"
