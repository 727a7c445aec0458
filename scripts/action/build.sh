#!/usr/bin/env bash
# Builds the program from the action's own checkout into the folder BUILD, unless an earlier job's is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)
suffix=
case "$(uname -s)" in
    MINGW* | MSYS*) suffix=.exe ;;
esac

if ! "$BUILD/strowger$suffix" --version 2> /dev/null; then
    printf '::group::Build Strowger from the checkout of the action\n'
    mkdir -p "$BUILD"
    cargo build --release --locked --bin strowger --manifest-path "$source_root/Cargo.toml" --target-dir "$BUILD/target"
    printf '::endgroup::\n'
    mv -f "$BUILD/target/release/strowger$suffix" "$BUILD/strowger$suffix"
    rm -rf "$BUILD/target"
    "$BUILD/strowger$suffix" --version
fi
